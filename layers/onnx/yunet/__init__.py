"""YuNet, a face detection network, as `model.onnx` beside this file. See NOTICE for its origin."""
