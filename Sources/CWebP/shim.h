#pragma once

#include <webp/decode.h>
#include <webp/demux.h>
// The tests make pictures.
#include <webp/encode.h>
