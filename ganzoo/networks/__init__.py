"""Networks: functions that return a `keras.Model`. They know no losses and no optimizers."""
