"""What a generator is trained to lower: the losses of VGG16's features."""
