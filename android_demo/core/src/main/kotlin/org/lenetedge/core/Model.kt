package org.lenetedge.core

/** What is on the canvas, and so which net reads it. */
enum class Task { DIGIT, LINE }

/** The models of one digit packed with the app, in the order in which they are offered; [label] is the package's name. */
enum class Model(val label: String) {
    INT8_QAT("int8_qat"),
    INT8("int8"),
    FLOAT16("float16"),
    FLOAT32("float32"),
    ;

    val file: String get() = "lenet5_$label.tflite"
}
