print("s3totsne")
