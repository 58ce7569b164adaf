"""A joint model of pictures and words (ConSE, arXiv 1312.5650): a picture lies where the words for its likeliest
classes lie. EfficientNet-Lite0 tells the classes, MiniLM places words; the result looks like an OpenCLIP export."""
import json
import os
import shutil

import numpy as np
import onnx
import onnx.compose
from onnx import TensorProto, helper, numpy_helper

from graph import constant, finish, node, values
from torch_file import load

# Classes that a picture's place is made of.
CLASSES = 10
# Tokens of a text.
CONTEXT = 77
SIDE = 224
STRIDES = [1, 2, 2, 2, 1, 2, 1]
EPSILON = 1e-3
# A picture has 128 numbers more than a text, for what words do not tell: pooled features of the network along the
# classifier's strongest directions. They are stored in data/ and not computed anew, because their last bits differ
# between processors.
DETAIL = 128


def convert(weights, words, data, target):
    textual(words, data, target)
    visual(weights, data, target)
    with open(f'{target}/visual/preprocess_cfg.json', 'w') as file:
        json.dump({
            'size': [SIDE, SIDE], 'mode': 'RGB', 'mean': [127 / 255] * 3, 'std': [128 / 255] * 3,
            'interpolation': 'bicubic', 'resize_mode': 'shortest', 'fill_color': 0,
        }, file)
    with open(f'{target}/config.json', 'w') as file:
        json.dump({
            'embed_dim': 512, 'vision_cfg': {'image_size': SIDE},
            'text_cfg': {'context_length': CONTEXT, 'vocab_size': 30522},
        }, file)


def textual(source, data, target):
    model = onnx.compose.add_prefix(onnx.load(source), 'bert_')
    graph = model.graph
    for at, it in enumerate([
        helper.make_node('Cast', ['text'], ['bert_input_ids'], to=TensorProto.INT64, name='ids64'),
        helper.make_node('Equal', ['bert_input_ids', 'pad_id'], ['is_pad'], name='is_pad_n'),
        helper.make_node('Not', ['is_pad'], ['is_tok'], name='is_tok_n'),
        helper.make_node('Cast', ['is_tok'], ['bert_attention_mask'], to=TensorProto.INT64, name='mask64'),
        helper.make_node('Sub', ['bert_input_ids', 'bert_input_ids'], ['bert_token_type_ids'], name='zeros'),
    ]):
        graph.node.insert(at, it)
    constant(graph, 'pad_id', 0, np.int64)
    constant(graph, 'ax_m1', [-1], np.int64)
    constant(graph, 'ax_1', [1], np.int64)
    # The mean over words; the sum has the same direction, and only that counts.
    node(graph, 'Cast', ['bert_attention_mask'], ['maskf'], to=TensorProto.FLOAT)
    node(graph, 'Unsqueeze', ['maskf', 'ax_m1'], ['mask3'])
    node(graph, 'Mul', ['bert_last_hidden_state', 'mask3'], ['hm'])
    node(graph, 'ReduceSum', ['hm', 'ax_1'], ['pooled'], keepdims=0)
    node(graph, 'LpNormalization', ['pooled'], ['semantic'], axis=-1, p=2)
    constant(graph, 'pad512', [0, 0, 0, DETAIL], np.int64)
    node(graph, 'Pad', ['semantic', 'pad512'], ['embedding'])
    del graph.input[:]
    graph.input.append(values('text', TensorProto.INT32, ['batch', CONTEXT]))
    del graph.output[:]
    graph.output.append(values('embedding', TensorProto.FLOAT, ['batch', 512]))
    del graph.value_info[:]
    finish(model, f'{target}/textual/model.onnx')
    for name in ('tokenizer.json', 'tokenizer_config.json'):
        shutil.copyfile(f'{data}/{name}', f'{target}/textual/{name}')


def visual(source, data, target):
    nodes, weights = efficientnet(load(source))

    def add(name, array):
        weights.append(numpy_helper.from_array(np.asarray(array), name))

    def step(operator, inputs, outputs, **attributes):
        nodes.append(helper.make_node(operator, inputs, outputs, name=outputs[0] + '_n', **attributes))

    add('labels', np.load(f'{data}/label_matrix_f16.npy').astype(np.float32))
    add('topk', np.array([CLASSES], np.int64))
    add('last', np.array([CLASSES - 1], np.int64))
    add('zero', np.array(0, np.float32))
    step('Softmax', ['logits'], ['p'], axis=-1)
    step('TopK', ['p', 'topk'], ['pk', 'ik'], axis=-1)
    step('Gather', ['pk', 'last'], ['pmin'], axis=1)
    step('Less', ['p', 'pmin'], ['drop'])
    step('Where', ['drop', 'zero', 'p'], ['pz'])
    step('MatMul', ['pz', 'labels'], ['mix'])
    step('LpNormalization', ['mix'], ['semantic'], axis=-1, p=2)
    add('detail_proj', np.load(f'{data}/detail_f16.npy').astype(np.float32))
    add('w_half', np.array(np.sqrt(0.5), np.float32))
    step('MatMul', ['features', 'detail_proj'], ['d0'])
    step('LpNormalization', ['d0'], ['detail'], axis=-1, p=2)
    step('Concat', ['semantic', 'detail'], ['cat'], axis=1)
    step('Mul', ['cat', 'w_half'], ['embedding'])
    graph = helper.make_graph(
        nodes, 'conse_visual',
        [values('image', TensorProto.FLOAT, ['batch', 3, SIDE, SIDE])],
        [values('embedding', TensorProto.FLOAT, ['batch', 512])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    finish(model, f'{target}/visual/model.onnx')


def efficientnet(weights):
    """EfficientNet-Lite as nodes, from `image` to `features` and `logits`; normalizations are folded into the
    convolutions before them."""
    nodes, constants = [], []

    def add(name, array):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    add('r0', np.array(0, np.float32))
    add('r6', np.array(6, np.float32))

    def convolution(x, name, norm, out, stride=1, group=1, bounded=True):
        kernel = weights[name].astype(np.float64)
        gamma, beta, mean, variance = (
            weights[f'{norm}.{part}'].astype(np.float64)
            for part in ('weight', 'bias', 'running_mean', 'running_var')
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        size = kernel.shape[2]
        kernel_name = add(out + '_w', (kernel * scale[:, None, None, None]).astype(np.float32))
        bias_name = add(out + '_b', (beta - mean * scale).astype(np.float32))
        nodes.append(helper.make_node(
            'Conv', [x, kernel_name, bias_name], [out + ('_c' if bounded else '')], name=out,
            kernel_shape=[size, size], strides=[stride, stride], group=group, auto_pad='SAME_UPPER',
        ))
        if bounded:
            nodes.append(helper.make_node('Clip', [out + '_c', 'r0', 'r6'], [out], name=out + '_relu6'))
        return out

    x = convolution('image', '_conv_stem.weight', '_bn0', 'stem', 2)
    blocks = 1 + max(int(name.split('.')[1]) for name in weights if name.startswith('_blocks.'))
    stage, before = -1, None
    for at in range(blocks):
        block = f'_blocks.{at}.'
        width = weights[block + '_project_conv.weight'].shape[0]
        is_first = width != before
        stage += is_first
        stride = STRIDES[stage] if is_first else 1
        entering = y = x
        if block + '_expand_conv.weight' in weights:
            y = convolution(y, block + '_expand_conv.weight', block + '_bn0', f'b{at}_e')
        depth = weights[block + '_depthwise_conv.weight'].shape[0]
        y = convolution(y, block + '_depthwise_conv.weight', block + '_bn1', f'b{at}_d', stride, depth)
        y = convolution(y, block + '_project_conv.weight', block + '_bn2', f'b{at}_p', bounded=False)
        if not is_first:
            nodes.append(helper.make_node('Add', [y, entering], [f'b{at}_o']))
            y = f'b{at}_o'
        x, before = y, width
    assert stage == 6, stage
    x = convolution(x, '_conv_head.weight', '_bn1', 'head')
    nodes.append(helper.make_node('GlobalAveragePool', [x], ['gap']))
    nodes.append(helper.make_node('Flatten', ['gap'], ['features'], axis=1))
    classifier = ['features', add('fc_w', weights['_fc.weight']), add('fc_b', weights['_fc.bias'])]
    nodes.append(helper.make_node('Gemm', classifier, ['logits'], transB=1))
    return nodes, constants
