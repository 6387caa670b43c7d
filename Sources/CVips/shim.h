#pragma once
// libvips' operations are variadic functions, which Swift cannot call; these say the same with fixed arguments. Functions
// that return an image return a new reference, or null after an error.

#include <stdbool.h>
#include <stdint.h>
#include <vips/vips.h>

static inline void vips_shim_ignore(const char *domain, GLogLevelFlags level, const char *message, void *data) {
    (void)domain, (void)level, (void)message, (void)data;
}

// Starts libvips: one thread a pipeline, no cache, silent, and of all loaders and savers only the four used here. No
// other format, and never ImageMagick, can be reached, whatever the bytes are.
static inline bool vips_shim_start(void) {
    if (VIPS_INIT("s3totsne")) return false;
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    vips_cache_set_max_mem(0);
    vips_cache_set_max_files(0);
    g_log_set_handler("VIPS", (GLogLevelFlags)(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_MESSAGE),
                      vips_shim_ignore, NULL);
    vips_operation_block_set("VipsForeign", TRUE);
    vips_operation_block_set("VipsForeignLoadPng", FALSE);
    vips_operation_block_set("VipsForeignLoadWebp", FALSE);
    vips_operation_block_set("VipsForeignLoadNsgif", FALSE);
    vips_operation_block_set("VipsForeignLoadTiff", FALSE);
    vips_block_untrusted_set(TRUE);
    return true;
}

// Loading reads the header; pixels are decoded from the top as they are asked for. The bytes must stay while the image
// lives. What is damaged or cut off fails at the row where that is.
#define VIPS_SHIM_SEQUENTIAL "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED

static inline VipsImage *vips_shim_load_png(const void *bytes, size_t count) {
    VipsImage *image = NULL;
    vips_pngload_buffer((void *)bytes, count, &image, VIPS_SHIM_SEQUENTIAL, NULL);
    return image;
}

static inline VipsImage *vips_shim_load_webp(const void *bytes, size_t count, double scale) {
    VipsImage *image = NULL;
    vips_webpload_buffer((void *)bytes, count, &image, VIPS_SHIM_SEQUENTIAL, "scale", scale, NULL);
    return image;
}

static inline VipsImage *vips_shim_load_gif(const void *bytes, size_t count) {
    VipsImage *image = NULL;
    vips_gifload_buffer((void *)bytes, count, &image, VIPS_SHIM_SEQUENTIAL, NULL);
    return image;
}

static inline VipsImage *vips_shim_load_tiff(const void *bytes, size_t count) {
    VipsImage *image = NULL;
    vips_tiffload_buffer((void *)bytes, count, &image, VIPS_SHIM_SEQUENTIAL, NULL);
    return image;
}

// Any colour space to 8-bit sRGB, with alpha where there was one.
static inline VipsImage *vips_shim_to_srgb(VipsImage *image) {
    VipsImage *converted = NULL, *bytes = NULL;
    if (vips_colourspace(image, &converted, VIPS_INTERPRETATION_sRGB, NULL)) return NULL;
    vips_cast(converted, &bytes, VIPS_FORMAT_UCHAR, NULL);
    g_object_unref(converted);
    return bytes;
}

// Makes the rows from `top` on available to vips_shim_row.
static inline bool vips_shim_prepare(VipsRegion *region, int top, int height) {
    VipsRect rect = {0, top, region->im->Xsize, height};
    return vips_region_prepare(region, &rect) == 0;
}

static inline const void *vips_shim_row(VipsRegion *region, int row) { return VIPS_REGION_ADDR(region, 0, row); }

// The embedded ICC profile, owned by the image; null when there is none.
static inline const void *vips_shim_profile(VipsImage *image, size_t *count) {
    const void *data = NULL;
    if (!vips_image_get_typeof(image, VIPS_META_ICC_NAME)) return NULL;
    return vips_image_get_blob(image, VIPS_META_ICC_NAME, &data, count) ? NULL : data;
}

// Converts `count` pixels of 1 (grey), 3 (RGB) or 4 (CMYK) bytes by an ICC profile to sRGB, 3 bytes each.
static inline bool vips_shim_convert(const uint8_t *pixels, int count, int bands, const void *profile, size_t profile_size,
                                     uint8_t *rgb) {
    VipsInterpretation meaning =
        bands == 1 ? VIPS_INTERPRETATION_B_W : bands == 3 ? VIPS_INTERPRETATION_sRGB : VIPS_INTERPRETATION_CMYK;
    VipsImage *memory = vips_image_new_from_memory(pixels, (size_t)count * (size_t)bands, count, 1, bands, VIPS_FORMAT_UCHAR);
    VipsImage *tagged = NULL, *converted = NULL;
    bool done = false;
    if (memory && vips_copy(memory, &tagged, "interpretation", meaning, NULL) == 0) {
        vips_image_set_blob_copy(tagged, VIPS_META_ICC_NAME, profile, profile_size);
        if (vips_icc_transform(tagged, &converted, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_RELATIVE,
                               "black_point_compensation", TRUE, NULL) == 0 &&
            converted->Bands == 3 && converted->BandFmt == VIPS_FORMAT_UCHAR) {
            VipsRegion *region = vips_region_new(converted);
            VipsRect all = {0, 0, count, 1};
            if (region && vips_region_prepare(region, &all) == 0) {
                memcpy(rgb, VIPS_REGION_ADDR(region, 0, 0), (size_t)count * 3);
                done = true;
            }
            if (region) g_object_unref(region);
        }
    }
    if (converted) g_object_unref(converted);
    if (tagged) g_object_unref(tagged);
    if (memory) g_object_unref(memory);
    return done;
}
