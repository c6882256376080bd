"""YuNet as OpenCV Zoo publishes it takes 640 x 640 only; its graph holds no size, so only the declarations change.

Decoding its output belongs to `appliance.face`.
"""

from models.errors import SourceUnusable
from models.recipes import onnx_file

_STRIDES, _PARTS = (8, 16, 32), {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}


def convert(data: bytes) -> bytes:
    """Declare height and width of YuNet's input, and with them the rows of its twelve outputs, as free.

    The weights and nodes stay as they are: every Reshape already asks for [1, -1, channels]. H and W have to be
    multiples of 32. Raises SourceUnusable when the data are another model.
    """
    model = onnx_file.read(data)
    graph = model.graph
    wanted = {f"{part}_{stride}" for part in _PARTS for stride in _STRIDES}
    if len(graph.input) != 1 or {output.name for output in graph.output} != wanted:
        raise SourceUnusable("the detector is not YuNet: it lacks an output, or has others")
    for axis, name in ((2, "height"), (3, "width")):
        graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    for output in graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"cells_{output.name.rpartition('_')[2]}"
    del graph.value_info[:]
    return onnx_file.write(model)
