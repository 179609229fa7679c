"""The formulas are tested against PyTorch; on one thread, since its threads cost more than these small sums."""

import torch

torch.set_num_threads(1)
