"""PaddleOCR's models as they are shipped; the letters that the reader knows stand in its file."""
import os
import shutil

import onnx


def convert(detection, recognition, target):
    for name in ('detection', 'recognition'):
        os.makedirs(f'{target}/{name}', exist_ok=True)
    shutil.copyfile(detection, f'{target}/detection/model.onnx')
    model = onnx.load(recognition)
    letters = next(it.value for it in model.metadata_props if it.key == 'character').split('\n')
    onnx.save(model, f'{target}/recognition/model.onnx')
    with open(f'{target}/recognition/dict.txt', 'w', encoding='utf8') as file:
        file.write('\n'.join(letters))
