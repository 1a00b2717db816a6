"""Which devices a training uses."""

from ganzoo import validation


def chosen(wanted, names):
    """The first `wanted` of the devices `names`, or `"all"` of them.

    Raises:
        ValueError: there are fewer.
    """
    if wanted == "all":
        return names
    validation.integer("devices", wanted)
    if wanted > len(names):
        are = "is 1 device" if len(names) == 1 else f"are {len(names)} devices"
        raise ValueError(
            f"`devices` (--devices) is {wanted}, and there {are}: {', '.join(names)}. Give at most "
            f"{len(names)}, or 'all'."
        )
    return names[:wanted]
