"""The sections of the settings file that say what is learned, and by which kind of model.

Belongs here: what a default is, and the model. Does not belong here: the columns that it learns from (`columns`), and
the hyperparameters of one run (`TrainingConfig`).
"""
