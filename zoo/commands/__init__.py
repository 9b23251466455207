"""The commands of `python -m zoo`: what they are told, what they print. One module for each thing people come for."""
