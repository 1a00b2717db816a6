"""Checks that other evaluators read an export correctly.

Run it where these are installed:

    pip install torch torchvision pytorch-fid torch-fidelity clean-fid
    ganzoo evaluate RUN --export judges
    python benchmarks/tools/judges.py judges

Each evaluator's own reader gets the folder of samples; the input of its network must equal the
files' pixels, with grey repeated to three channels.
"""

import pathlib
import sys

import numpy as np
import torch
from cleanfid.fid import ResizeDataset
from PIL import Image
from pytorch_fid.fid_score import ImagePathDataset
from torch_fidelity.datasets import ImagesPathDataset


def main():
    folder = pathlib.Path(sys.argv[1]) / "samples"
    files = sorted(folder.glob("*.png"))
    expected = [np.asarray(Image.open(file).convert("RGB")) for file in files]

    # torch-fidelity: uint8, channels first.
    read = ImagesPathDataset([str(f) for f in files])
    assert all(
        np.array_equal(read[i].numpy().transpose(1, 2, 0), x) for i, x in enumerate(expected)
    )
    print(f"torch-fidelity reads {len(read)} images correctly")

    # pytorch-fid: floats in [0, 1] by a transform of its own choice; here the identity.
    read = ImagePathDataset(files, transforms=np.asarray)
    assert all(np.array_equal(read[i], x) for i, x in enumerate(expected))
    print(f"pytorch-fid reads {len(read)} images correctly")

    # clean-fid: floats or bytes, channels first; its resizing left out.
    size = expected[0].shape[:2]
    read = ResizeDataset([str(f) for f in files], mode="clean", size=size)
    read.fn_resize = lambda x: x
    tensors = (torch.as_tensor(np.asarray(read[i])) for i in range(len(read)))
    assert all(
        np.allclose(t.numpy().transpose(1, 2, 0) * (255 if t.max() <= 1 else 1), x)
        for t, x in zip(tensors, expected)
    )
    print(f"clean-fid reads {len(read)} images correctly")


if __name__ == "__main__":
    main()
