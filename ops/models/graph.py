"""Small steps on ONNX graphs that several models need."""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Larger values than this do not fit half precision.
HALF_MAX = 6e4
# Weights with fewer numbers stay as they are.
SMALL = 1024


def node(graph, operator, inputs, outputs, **attributes):
    """Adds a node at the end of a graph, named after its first output."""
    graph.node.append(helper.make_node(operator, inputs, outputs, name=outputs[0] + '_n', **attributes))


def constant(graph, name, value, kind):
    """Adds a constant."""
    graph.initializer.append(numpy_helper.from_array(np.array(value, kind), name))


def values(name, kind, shape):
    """Describes an input or an output."""
    return helper.make_tensor_value_info(name, kind, shape)


def used_names(graph):
    """Every name that some node reads."""
    return {name for it in graph.node for name in it.input}


def drop_unused_weights(graph):
    """Removes weights that no node reads."""
    used = used_names(graph)
    for weight in [it for it in graph.initializer if it.name not in used]:
        graph.initializer.remove(weight)


def halve(model):
    """Stores large weights in half precision with a cast behind them: ONNX Runtime folds the cast when it loads
    the model, so that only the file is smaller."""
    graph = model.graph
    casts = []
    for weight in list(graph.initializer):
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) <= SMALL:
            continue
        array = numpy_helper.to_array(weight)
        graph.initializer.remove(weight)
        if np.abs(array).max() > HALF_MAX:
            graph.initializer.append(weight)
            continue
        half = weight.name + '_f16'
        graph.initializer.append(numpy_helper.from_array(array.astype(np.float16), half))
        casts.append(helper.make_node('Cast', [half], [weight.name], to=TensorProto.FLOAT, name='c_' + weight.name))
    for at, cast in enumerate(casts):
        graph.node.insert(at, cast)


def finish(model, path, opset=None):
    """Makes a model small, checks it and writes it."""
    halve(model)
    if opset:
        del model.opset_import[:]
        model.opset_import.append(helper.make_opsetid('', opset))
        model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    onnx.save(model, path)


def constants_of(graph):
    """Every constant of a graph by name."""
    known = {it.name: numpy_helper.to_array(it) for it in graph.initializer}
    for it in graph.node:
        if it.op_type == 'Constant':
            for attribute in it.attribute:
                if attribute.name == 'value':
                    known[it.output[0]] = numpy_helper.to_array(attribute.t)
    return known


def dequantized(it, known):
    """What a DequantizeLinear of constants gives, also with scales for blocks."""
    attributes = {a.name: helper.get_attribute_value(a) for a in it.attribute}
    x = known[it.input[0]].astype(np.float32)
    scale = known[it.input[1]].astype(np.float32)
    if len(it.input) > 2 and it.input[2]:
        zero = known[it.input[2]].astype(np.float32)
    else:
        zero = np.zeros_like(scale)
    axis, block = attributes.get('axis', 1), attributes.get('block_size', 0)
    if scale.size == 1:
        return (x - zero.reshape(())) * scale.reshape(())
    if block:
        part = [slice(None)] * x.ndim
        part[axis] = slice(0, x.shape[axis])
        scale = np.repeat(scale, block, axis=axis)[tuple(part)]
        zero = np.repeat(zero, block, axis=axis)[tuple(part)]
        return (x - zero) * scale
    shape = [1] * x.ndim
    shape[axis] = -1
    return (x - zero.reshape(shape)) * scale.reshape(shape)


def fold_weights(model):
    """Turns weights that are stored as whole numbers with scales into plain ones: ONNX Runtime does not read the
    blocks that they are stored in. Old files name their weights as inputs, too, which it then asks for."""
    graph = model.graph
    known = constants_of(graph)
    folded, kept = {}, []
    for it in graph.node:
        if it.op_type == 'DequantizeLinear' and it.input[0] in known:
            folded[it.output[0]] = dequantized(it, known).astype(np.float32)
            known[it.output[0]] = folded[it.output[0]]
        elif it.op_type == 'Reshape' and it.input[0] in folded and it.input[1] in known:
            shape = [int(side) for side in known[it.input[1]]]
            folded[it.output[0]] = folded[it.input[0]].reshape(shape)
            known[it.output[0]] = folded[it.output[0]]
        else:
            kept.append(it)
    del graph.node[:]
    graph.node.extend(kept)
    used = used_names(graph)
    for name, array in folded.items():
        if name in used:
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
    drop_unused_weights(graph)
    weights = {it.name for it in graph.initializer}
    for it in [it for it in graph.input if it.name in weights or it.name not in used]:
        graph.input.remove(it)
    del graph.value_info[:]
    return model
