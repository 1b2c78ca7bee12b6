package org.lenetedge.core

/** The models packed with the app, in the order in which they are offered; [label] is the package's name. */
enum class Model(val label: String) {
    INT8_QAT("int8_qat"),
    INT8("int8"),
    FLOAT16("float16"),
    FLOAT32("float32"),
    ;

    /** What reports call it. */
    val title: String get() = "lenet5_$label"

    val file: String get() = "$title.tflite"
}

/** A model's file that cannot be used; [fault] says why. */
class BadModel(val model: Model, val fault: Fault) : Exception("${model.file}: $fault") {
    enum class Fault { MISSING, TRUNCATED, ANOTHER }
}
