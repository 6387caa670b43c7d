// The room Features.
