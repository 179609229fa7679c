"""Observing a running model of another framework: any of its neurons, with its real inputs, worked out by hand.

observing     `observe`: recognises the model, and hands it to the module for its kind
products      a matrix product or convolution of one forward pass, as numbers
recording     a dispatch mode of PyTorch that records the products whose weights are parameters
linking       which activation follows a product, and which two products make gated neurons
observation   what `observe` returns: layers, neurons, outputs, attributions
"""
