package org.tensorflow.lite;

/** How many steps an interpreter runs; in this package since only its classes may ask. */
public final class PlanLength {
    private PlanLength() {}

    /** Returns the nodes that no delegate took, and one more for each piece that a delegate took. */
    public static int of(Interpreter interpreter) {
        return interpreter.wrapper.getExecutionPlanLength();
    }
}
