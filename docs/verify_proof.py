#!/usr/bin/env python3
"""Checks proofs of `calotype proof ... --json` and receipts of `calotype erase` and `calotype batches receipt` offline:
python3 verify_proof.py [--key KEY] FILE...

Where another key has followed, proofs say so themselves; before receipts name a file of `calotype proof --keys`.
It knows the log's public key, RFC 6962, RFC 8032 and C2SP's signed-note, and nothing of Calotype.
Without --key it believes the key in the file: note the key once, from `calotype proof --key`, and say it.
A receipt has no key in it.
"""
import base64, hashlib, json, re, sys

FOLLOWED = []
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    return tuple(n % P for n in ((b - a) * (d - c), (d + c) * (b + a), (d - c) * (d + c), (b - a) * (b + a)))
def times(number, point):
    result = (0, 1, 1, 0)
    while number:
        result = add(result, point) if number & 1 else result
        point, number = add(point, point), number >> 1
    return result
def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)

BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
def is_signed(key, message, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L
    left, right = times(s, BASE), add(point(r), times(k, point(key)))
    is_same = all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))
    return len(signature) == 64 and s < L and is_same

def followed(notes, key):
    """Every key that vouches for this one or that this one vouches for, and the largest head that each signs."""
    keys = {key: None}
    for _ in notes:
        for note in notes:
            _, kind, size, former, following, _ = note.split("\n\n")[0].split("\n")
            if kind == "key" and (former in keys) != (following in keys):
                signed(note, {former: None}), signed(note, {following: None})
                keys[former], keys[following] = int(size), keys.get(following)
    return keys
def signed(note, keys):
    """The lines of a note, when one of the keys signed it."""
    for key, until in keys.items():
        lines = signed_by(note, key)
        if lines and (until is None or not lines[1].isdigit() or int(lines[1]) <= until):
            return lines
    raise ValueError("it is not signed by the key")
def signed_by(note, key):
    (body, signatures), (name, key_id, public) = note.split("\n\n", 1), key.split("+", 2)
    public = base64.b64decode(public)
    if hashlib.sha256(name.encode() + b"\n" + public).digest()[:4].hex() != key_id or public[0] != 1:
        raise ValueError("the key does not fit its own id")
    for line in signatures.splitlines():
        (_, by, signature), lines = line.split(" "), body.split("\n")
        signature, is_ours = base64.b64decode(signature), by == lines[0] == name
        if is_ours and is_signed(public[1:], body.encode() + b"\n", signature[4:]):
            return lines
def head(note, keys):
    """Size and root of a head, when a key signed it."""
    _, size, root, *_ = signed(note, keys)
    return int(size), base64.b64decode(root)
def receipt(note, key):
    """What a receipt says first, when a key signed it."""
    _, kind, *said = signed(note, followed(FOLLOWED, key or sys.exit("say the key of the log with --key")))
    if kind != "receipt":
        raise ValueError("it is no receipt")
    return f"the log signed the receipt of {said[0]}"
def imported(told, key):
    """What the receipt of an import says, when a key signed it and its files are those that were signed."""
    lines = "".join(f"{it['sha1']} {it['assetId']} {it['status']}\n" for it in told["files"])
    if f"sha256 {hashlib.sha256(lines.encode()).hexdigest()}" not in told["signature"].split("\n"):
        raise ValueError("the files are not those that were signed")
    return receipt(told["signature"], key)
node = lambda left, right: hashlib.sha256(b"\1" + left + right).digest()
def climb(index, last, path, on_left, on_both):
    """RFC 9162 (2.1.3.2, 2.1.4.2): goes up the tree with a hash from the path at each step."""
    for step in path:
        is_right = index & 1 or index == last
        (on_both if is_right else on_left)(step)
        while is_right and index and not index & 1:
            index, last = index >> 1, last >> 1
        if last == 0:
            raise ValueError("the path is too long")
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")

def verify(proof, key):
    path = [base64.b64decode(step) for step in proof["path"]]
    keys = followed(FOLLOWED + proof.get("rotations", []), key or proof["key"])
    if proof["kind"] == "inclusion":
        (size, root), index = head(proof["head"], keys), proof["position"] - 1
        leaf, position = base64.b64decode(proof["leaf"]), str(proof["position"])
        found = [hashlib.sha256(b"\0" + leaf).digest()]
        begins = f"16:calotype-event-1,{len(position)}:{position},36:{proof['eventId']},".encode()
        if not 0 <= index < size or not leaf.startswith(begins):
            raise ValueError("the leaf is not that of the event")
        climb(index, size - 1, path, lambda step: found.append(node(found[-1], step)),
              lambda step: found.append(node(step, found[-1])))
        if found[-1] != root:
            raise ValueError("the path does not lead to the head")
        return f"event {proof['eventId']} is in the log of the head of size {size}"
    (old, old_root), (new, new_root) = head(proof["from"], keys), head(proof["to"], keys)
    if old == new and old_root == new_root and not path:
        return f"both heads of size {old} are of the same log"
    shift = (old & -old).bit_length() - 1
    index, last = (old - 1) >> shift, (new - 1) >> shift
    a = [old_root if old & (old - 1) == 0 else path.pop(0)]
    b = a[:]
    climb(index, last, path, lambda step: b.append(node(b[-1], step)),
          lambda step: (a.append(node(step, a[-1])), b.append(node(step, b[-1]))))
    if not 0 < old <= new or a[-1] != old_root or b[-1] != new_root:
        raise ValueError("the path does not lead to both heads")
    return f"the log of the head of size {old} is the beginning of that of size {new}"

if __name__ == "__main__":
    words = sys.argv[1:]
    wanted, words = (words[1], words[2:]) if words[:1] == ["--key"] else (None, words)
    for file in words or sys.exit(__doc__):
        try:
            text = open(file).read()
            if text.split("\n")[1:2] == ["key"]:
                FOLLOWED += re.findall("calotype/.+?\n\n(?:— [^\n]+\n)+", text, re.S)
                continue
            told = {} if text.startswith("calotype/") else json.loads(text)
            check = imported if "signature" in told else verify
            print(f"{file}: {check(told, wanted) if told else receipt(text, wanted)}")
        except (ValueError, KeyError, IndexError, TypeError) as error:
            sys.exit(f"{file}: NOT PROVEN: {error}")
