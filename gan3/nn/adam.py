"""Adam on one variable list."""

import tensorflow as tf

Gradients = list[tf.Tensor]


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1 in the form of its section 2) of one variable list.

    The update is TensorFlow's fused kernel, one pass over each weight; it takes a third of the time
    of the Keras optimizer, which builds it from a dozen ops. epsilon is TensorFlow 1's, 1e-8.
    """

    def __init__(
        self,
        variables: list[tf.Variable],
        learning_rate: float,
        beta1: float,
        name: str,
        beta2: float = 0.999,
    ):
        self.name = name
        self.variables = variables
        self.learning_rate = learning_rate
        self._beta1, self._beta2, self._epsilon = beta1, beta2, 1e-8
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False, name=f"{name}/steps")
        self.m = [self._zeros_like(variable, "m") for variable in variables]
        self.v = [self._zeros_like(variable, "v") for variable in variables]

    def _zeros_like(self, variable: tf.Variable, slot: str) -> tf.Variable:
        name = f"{self.name}/{variable.name.removesuffix(':0')}/{slot}"
        return tf.Variable(tf.zeros_like(variable), trainable=False, name=name)

    @property
    def state(self) -> list[tf.Variable]:
        """Everything that a resumed run needs: the step count and both moments."""
        return [self.steps, *self.m, *self.v]

    def apply(self, gradients: Gradients, lr_scale: tf.Tensor | float = 1.0) -> Gradients:
        """Update every variable of the list once, at `lr_scale` times the learning rate.

        Returns the gradients. Raises ValueError if one is missing.
        """
        if len(gradients) != len(self.variables) or any(g is None for g in gradients):
            raise ValueError(
                f"{self.name}: one gradient for each of {len(self.variables)} variables"
            )
        t = tf.cast(self.steps.assign_add(1), tf.float32)
        beta1_power, beta2_power = self._beta1**t, self._beta2**t
        for variable, m, v, gradient in zip(self.variables, self.m, self.v, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=beta1_power,
                beta2_power=beta2_power,
                lr=self.learning_rate * lr_scale,
                beta1=self._beta1,
                beta2=self._beta2,
                epsilon=self._epsilon,
                grad=gradient,
            )
        return gradients
