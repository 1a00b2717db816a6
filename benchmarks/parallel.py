"""Estimates the efficiency of data parallelism from measurements on one device.

    python benchmarks/parallel.py

The messages and bytes between devices are counted in a step of two replicas on the processor. The
time of a step on one device comes from `benchmarks/results/train.csv`. The time of the messages is
computed: each goes round a ring of n devices, 2 (n − 1) times as a part of 1 / n, over links with
the bandwidth in their makers' data sheets and an assumed latency. The estimate assumes that nothing
overlaps, and that every device has a batch as large as the measured one. So only bytes, messages
and the measured step are facts; the rest is extrapolated, and marked as such in
`benchmarks/results/parallel.csv`.
"""

import csv

import measure
import numpy as np
import tensorflow as tf

import ganzoo

DEVICES = (2, 4, 8, 64)
LINKS = {
    # Bytes per second one way, and assumed seconds to the next device.
    "NVLink": (450e9, 3e-6),  # 900 GB/s both ways: data sheets of NVIDIA's H100 and H200
    "PCIe 5": (64e9, 5e-6),  # 16 lanes of 32 GT/s: PCI Express base specification 5.0
    "Ethernet": (12.5e9, 3e-5),  # 100 Gbit/s
}
H200 = 67e12
"""Floating-point operations per second in float32, from NVIDIA's data sheet of the H200."""


def messages(strategy, name, size):
    """Count the `(messages, bytes)` that one replica sends in a step."""
    sizes, original = [], strategy.extended._batch_reduce_to

    def counted(operation, pairs, options=None):
        values = [value.values[0] for value, _ in pairs]
        sizes.append(sum(x.shape.num_elements() * x.dtype.size for x in values))
        return original(operation, pairs, options)

    strategy.extended._batch_reduce_to = counted
    with strategy.scope():
        model = ganzoo.get(name, image_shape=(size, size, 1), seed=0)
    model.fit(np.zeros((4, size, size, 1), "uint8"), batch_size=4, verbose=0)
    strategy.extended._batch_reduce_to = original
    return len(sizes), sum(sizes)


def ring(count, size, messages, bandwidth, latency):
    """Seconds in which `count` devices add up `messages` of `size` bytes in total."""
    return 2 * (count - 1) * (messages * latency + size / count / bandwidth)


def main():
    (cpu,) = tf.config.list_physical_devices("CPU")
    each = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [each] * 2)
    # One strategy, because several in a process confuse each other's messages.
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with (measure.RESULTS / "train.csv").open(newline="", encoding="utf-8") as file:
        measured = [
            row
            for row in csv.DictReader(file)
            if row["what"] == "ganzoo, fit" and row["precision"] == "float32"
        ]
    rows = []
    for row in measured:
        sent, size = messages(strategy, row["model"], int(row["size"]))
        seconds = float(row["ms_per_step"]) / 1e3
        steps = {(row["machine"], "measured"): seconds}
        if "GPU" not in row["machine"] and "NVIDIA" not in row["machine"]:
            faster = H200 / (float(row["peak_gflops"]) * 1e9)
            steps["an H200 that comes as near to its limit", "extrapolated"] = seconds / faster
        for (device, basis), step in steps.items():
            for link, (bandwidth, latency) in LINKS.items():
                for count in DEVICES:
                    apart = ring(count, size, sent, bandwidth, latency)
                    rows.append(
                        {
                            "model": row["model"],
                            "size": row["size"],
                            "batch": row["batch"],
                            "messages": sent,
                            "megabytes": size / 1e6,
                            "device": device,
                            "basis": basis,
                            "ms_per_step": step * 1e3,
                            "link": link,
                            "gigabytes_per_second": bandwidth / 1e9,
                            "latency_us": latency * 1e6,
                            "devices": count,
                            "ms_of_messages": apart * 1e3,
                            "efficiency": step / (step + apart),
                            **measure.machine(),
                        }
                    )
    measure.show([{k: v for k, v in row.items() if k != "versions"} for row in rows])
    measure.save("parallel", rows, replace=("model", "size", "device", "link", "devices"))


if __name__ == "__main__":
    main()
