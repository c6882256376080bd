"""Reading and writing a network as an ONNX file, for the converters."""

import onnx
from google.protobuf.message import DecodeError

from models.errors import SourceUnusable


def read(data: bytes) -> onnx.ModelProto:
    """The network in a file. Raises SourceUnusable for what is none."""
    try:
        return onnx.load_model_from_string(data)
    except DecodeError as error:
        raise SourceUnusable("the file is no ONNX network") from error


def write(model: onnx.ModelProto) -> bytes:
    """The file of a network, the same bytes every time. Raises SourceUnusable where a conversion spoilt it."""
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise SourceUnusable(f"the converted network is not valid: {str(error).splitlines()[0]}") from error
    return bytes(model.SerializeToString(deterministic=True))
