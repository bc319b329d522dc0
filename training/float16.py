"""Half the file: the larger weights of an ONNX graph stored as float16, the arithmetic unchanged."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper


def store_float16(model):
    """Keep float32 arithmetic but store the larger weights as float16 behind a Cast: half the file."""
    casts, kept = [], []
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size <= 64 or np.abs(array).max() > 6e4:
            kept.append(tensor)
            continue
        kept.append(numpy_helper.from_array(array.astype(np.float16), tensor.name + "_f16"))
        casts.append(helper.make_node("Cast", [tensor.name + "_f16"], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    for field, values in ((model.graph.initializer, kept), (model.graph.node, casts + nodes)):
        del field[:]
        field.extend(values)
    return model
