// The room Export.
