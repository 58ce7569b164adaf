"""YuNet and SFace of the OpenCV Zoo, with the inputs and outputs that SCRFD and ArcFace have in InsightFace's
packs, so that the program needs to know one convention."""
import numpy as np
import onnx
from onnx import TensorProto, helper

from graph import constant, drop_unused_weights, finish, fold_weights, node, used_names, values

SIDE = 640
STRIDES = (8, 16, 32)
# SFace gives 128 numbers, the convention has 512; zeros change no angle.
MORE_ZEROS = 384


def convert(source, target):
    recognition(f'{source}/face_recognition_sface_2021dec_int8bq.onnx', f'{target}/recognition/model.onnx')
    detection(f'{source}/face_detection_yunet_2023mar_int8bq.onnx', f'{target}/detection/model.onnx')


def recognition(source, target):
    model = fold_weights(onnx.load(source))
    graph = model.graph
    for it in list(graph.input) + list(graph.output):
        batch = it.type.tensor_type.shape.dim[0]
        batch.ClearField('dim_value')
        batch.dim_param = 'batch'
    drop_dropouts(graph)

    # It takes (x - 127.5) / 127.5 of red, green, blue; SFace's own two nodes made (x - 127.5) * 0.0078125.
    subtract, multiply = graph.node[0], graph.node[1]
    assert subtract.op_type == 'Sub' and multiply.op_type == 'Mul'
    del graph.node[0:2]
    constant(graph, 'immich_scale', 127.5 * 0.0078125, np.float32)
    scale = helper.make_node('Mul', ['input.1', 'immich_scale'], [multiply.output[0]], name='rescale_input')
    graph.node.insert(0, scale)
    graph.input[0].name = 'input.1'

    constant(graph, 'pad512', [0, 0, 0, MORE_ZEROS], np.int64)
    graph.node.append(helper.make_node('Pad', [graph.output[0].name, 'pad512'], ['embedding'], name='pad_to_512'))
    del graph.output[:]
    graph.output.append(values('embedding', TensorProto.FLOAT, ['batch', 512]))
    drop_unused_weights(graph)
    finish(model, target, 17)


def drop_dropouts(graph):
    """They do nothing but while a model learns."""
    for it in list(graph.node):
        if it.op_type == 'Dropout':
            for other in graph.node:
                for at, name in enumerate(other.input):
                    if name == it.output[0]:
                        other.input[at] = it.input[0]
            graph.node.remove(it)
    used = used_names(graph)
    for it in list(graph.node):
        if it.op_type == 'Constant' and it.output[0] not in used:
            graph.node.remove(it)


def detection(source, target):
    model = fold_weights(onnx.load(source))
    graph = model.graph
    constant(graph, 'k128', 128.0, np.float32)
    constant(graph, 'k1275', 127.5, np.float32)
    constant(graph, 'bgr', [2, 1, 0], np.int64)
    constant(graph, 'half', 0.5, np.float32)
    constant(graph, 'sh1', [-1, 1], np.int64)
    constant(graph, 'sh4', [-1, 4], np.int64)
    constant(graph, 'sh10', [-1, 10], np.int64)
    constant(graph, 'zero', 0.0, np.float32)
    constant(graph, 'ax1', [1], np.int64)
    constant(graph, 'i01', [0, 1], np.int64)
    constant(graph, 'i23', [2, 3], np.int64)

    # It takes (x - 127.5) / 128 of red, green, blue; YuNet takes blue, green, red as they are.
    first = graph.input[0].name
    for at, it in enumerate([
        helper.make_node('Mul', ['input.1', 'k128'], ['pre_a'], name='denorm_mul'),
        helper.make_node('Add', ['pre_a', 'k1275'], ['pre_b'], name='denorm_add'),
        helper.make_node('Gather', ['pre_b', 'bgr'], [first], axis=1, name='rgb_to_bgr'),
    ]):
        graph.node.insert(at, it)
    del graph.input[:]
    graph.input.append(values('input.1', TensorProto.FLOAT, [1, 3, SIDE, SIDE]))

    # Two anchors a cell, the second of which never has a face.
    for s in STRIDES:
        node(graph, 'Mul', [f'cls_{s}', f'obj_{s}'], [f'p_{s}'])
        node(graph, 'Sqrt', [f'p_{s}'], [f'q_{s}'])
        node(graph, 'Reshape', [f'q_{s}', 'sh1'], [f'sc_{s}'])
        node(graph, 'Mul', [f'sc_{s}', 'zero'], [f'z_{s}'])
        node(graph, 'Concat', [f'sc_{s}', f'z_{s}'], [f'c2_{s}'], axis=1)
        node(graph, 'Reshape', [f'c2_{s}', 'sh1'], [f'score_{s}'])
        # From middle and logarithm of the size to distances from the cell.
        node(graph, 'Reshape', [f'bbox_{s}', 'sh4'], [f'b_{s}'])
        node(graph, 'Gather', [f'b_{s}', 'i01'], [f'xy_{s}'], axis=1)
        node(graph, 'Gather', [f'b_{s}', 'i23'], [f'wh_{s}'], axis=1)
        node(graph, 'Exp', [f'wh_{s}'], [f'ewh_{s}'])
        node(graph, 'Mul', [f'ewh_{s}', 'half'], [f'h_{s}'])
        node(graph, 'Sub', [f'h_{s}', f'xy_{s}'], [f'lt_{s}'])
        node(graph, 'Add', [f'h_{s}', f'xy_{s}'], [f'rb_{s}'])
        node(graph, 'Concat', [f'lt_{s}', f'rb_{s}', f'lt_{s}', f'rb_{s}'], [f'd_{s}'], axis=1)
        node(graph, 'Reshape', [f'd_{s}', 'sh4'], [f'dist_{s}'])
        node(graph, 'Reshape', [f'kps_{s}', 'sh10'], [f'k_{s}'])
        node(graph, 'Concat', [f'k_{s}', f'k_{s}'], [f'kk_{s}'], axis=1)
        node(graph, 'Reshape', [f'kk_{s}', 'sh10'], [f'lmk_{s}'])
    del graph.output[:]
    for name, width in (('score', 1), ('dist', 4), ('lmk', 10)):
        for s in STRIDES:
            graph.output.append(values(f'{name}_{s}', TensorProto.FLOAT, [(SIDE // s) ** 2 * 2, width]))
    finish(model, target, 17)
