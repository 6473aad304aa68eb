"""PP-OCRv6 small, a text detection network, as `model.onnx` beside this file. See NOTICE for its origin."""
