"""PP-OCRv6 small, a text recognition network, as `model.onnx` beside this file. See NOTICE for its origin."""
