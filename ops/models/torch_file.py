"""Reads the weights of a file that PyTorch wrote, without PyTorch and without running what stands in it."""
import collections
import pickle
import struct

import numpy as np

KINDS = {
    'DoubleStorage': np.float64, 'FloatStorage': np.float32, 'HalfStorage': np.float16,
    'LongStorage': np.int64, 'IntStorage': np.int32, 'ByteStorage': np.uint8, 'BoolStorage': np.bool_,
}


class Storage:
    """Stands for a kind of storage."""

    def __init__(self, kind):
        self.kind = kind


class Nothing:
    """Stands for everything that is not needed; doing anything with it does nothing."""

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return Nothing()

    def __setstate__(self, state):
        pass


class Reader(pickle.Unpickler):
    """Makes nothing but dictionaries and descriptions of tensors, whatever the file names."""

    def persistent_load(self, words):
        return words[1].kind, words[2]

    def find_class(self, module, name):
        if name.endswith('Storage'):
            return Storage(name)
        if name == '_rebuild_tensor_v2':
            return lambda storage, offset, size, stride, *rest: ('tensor', storage, offset, size, stride)
        if name == '_rebuild_parameter':
            return lambda data, *rest: data
        if (module, name) == ('collections', 'OrderedDict'):
            return collections.OrderedDict
        return Nothing


def load(path):
    """Arrays by name, from a file of PyTorch before 1.6."""
    with open(path, 'rb') as file:
        for _ in range(3):
            Reader(file).load()
        tensors = Reader(file).load()
        keys = Reader(file).load()
        tensors = {name: it for name, it in tensors.items() if isinstance(it, tuple) and it[0] == 'tensor'}
        kinds = {key: kind for _, (kind, key), *_ in tensors.values()}
        stored = {}
        for key in keys:
            count = struct.unpack('<q', file.read(8))[0]
            kind = np.dtype(KINDS[kinds[key]])
            stored[key] = np.frombuffer(file.read(count * kind.itemsize), kind)
    return {name: array(it, stored) for name, it in tensors.items()}


def array(tensor, stored):
    _, (_, key), offset, size, stride = tensor
    flat = stored[key]
    if not size:
        return flat[offset:offset + 1].reshape(())
    steps = [step * flat.itemsize for step in stride]
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(flat[offset:], size, steps))
