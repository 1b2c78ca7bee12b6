package org.tensorflow.lite;

/** How many steps an interpreter runs; in this package because the method it needs is package-private. */
public final class PlanLength {
    private PlanLength() {}

    /** Returns the number of nodes that no delegate took, plus one for each piece that a delegate took. */
    public static int of(Interpreter interpreter) {
        return interpreter.wrapper.getExecutionPlanLength();
    }
}
