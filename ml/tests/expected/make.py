"""Makes the files beside this one: what the reference in numpy, Pillow and OpenCV says of a few pictures.

    python3 make.py SHARED MODELS

SHARED holds `media/` and `models/reference/`, MODELS the installed set. Needs numpy, pillow, tokenizers,
onnxruntime, onnx and opencv-python-headless at the versions of requirements.txt; tests read the files only.
"""
import json
import os
import sys

import cv2
import numpy as np
import onnxruntime
from PIL import Image
from tokenizers import Tokenizer

shared, models = sys.argv[1:3]
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(shared, 'models', 'reference'))
import face_pipe  # noqa: E402
import ocr_pipe  # noqa: E402

CLIP = os.path.join(models, 'clip', 'conse-effnet-lite0-minilm')
FACES = os.path.join(models, 'facial-recognition', 'yunet-sface')
OCR = os.path.join(models, 'ocr', 'PP-OCRv6_tiny')


def rounded(values, digits=6):
    return np.round(np.asarray(values, np.float64), digits).tolist()


def write(name, what):
    with open(os.path.join(here, name), 'w', encoding='utf8') as file:
        json.dump(what, file, ensure_ascii=False, indent=1)
        file.write('\n')


def session(path):
    return onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])


def clip():
    visual = session(f'{CLIP}/visual/model.onnx')
    textual = session(f'{CLIP}/textual/model.onnx')
    tokenizer = Tokenizer.from_file(f'{CLIP}/textual/tokenizer.json')
    tokenizer.enable_truncation(77)
    tokenizer.enable_padding(length=77, pad_id=0, pad_token='[PAD]')
    images, texts = {}, {}
    for name in ('faces/astronaut.png', 'photos/scenes/cat_chelsea.png', 'photos/scenes/coffee.png'):
        image = Image.open(f'{shared}/media/{name}').convert('RGB')
        width, height = image.size
        size = (224, int(224 * height / width)) if width <= height else (int(224 * width / height), 224)
        image = image.resize(size, Image.BICUBIC)
        left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
        image = image.crop((left, top, left + 224, top + 224))
        x = (np.asarray(image, np.float32) - 127) / 128
        y = visual.run(None, {'image': x.transpose(2, 0, 1)[None]})[0][0]
        images[name] = rounded(y / np.linalg.norm(y))
        if 'cat' in name:
            image.save(os.path.join(here, 'cat.png'), optimize=True)
    for text in ('a cat', 'Ein Astronaut, 1969: «hello»', 'word ' * 200, ''):
        ids = tokenizer.encode(text).ids
        y = textual.run(None, {'text': np.array([ids], np.int32)})[0][0]
        texts[text] = {'ids': ids, 'embedding': rounded(y / np.linalg.norm(y))}
    write('clip.json', {'images': images, 'texts': texts})


def faces():
    detection = face_pipe.SCRFD(f'{FACES}/detection/model.onnx', thresh=0.7)
    recognition = face_pipe.Arc(f'{FACES}/recognition/model.onnx')
    found = {}
    for name in ('faces/astronaut.png', 'faces/group_couple_baby.jpg', 'faces/curie_regions.jpg', 'photos/scenes/coffee.png'):
        image = np.ascontiguousarray(np.asarray(Image.open(f'{shared}/media/{name}').convert('RGB'))[:, :, ::-1])
        boxes, landmarks = detection.detect(image)
        crops = [face_pipe.norm_crop(image, it) for it in landmarks]
        embeddings = recognition.embed(crops) if crops else []
        found[name] = [
            {'box': rounded(box[:4], 3), 'score': round(float(box[4]), 6), 'landmarks': rounded(marks, 3), 'embedding': rounded(values[:128])}
            for box, marks, values in zip(boxes, landmarks, embeddings)
        ]
    write('faces.json', found)


def words():
    reader = ocr_pipe.OCR(f'{OCR}/detection/model.onnx', f'{OCR}/recognition/model.onnx', min_score=0.8)
    found = {}
    for name in ('ocr/multilingual.png', 'ocr/ps4_update_screen.jpg', 'photos/scenes/coffee.png'):
        image = Image.open(f'{shared}/media/{name}').convert('RGB')
        bgr = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
        lines = []
        for box, box_score in reader.detect(image):
            text, score = reader.recog(bgr, box)
            if score >= 0.8 and text.strip():
                corners = box / np.array(image.size)
                lines.append({'corners': rounded(corners, 5), 'box_score': round(float(box_score), 5), 'text': text, 'text_score': round(score, 5)})
        found[name] = lines
    write('words.json', found)


cv2.setNumThreads(1)
clip()
faces()
words()
