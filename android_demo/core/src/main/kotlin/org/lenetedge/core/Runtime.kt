package org.lenetedge.core

import java.nio.ByteBuffer

/** How a tensor stores a value; [bytes] of one. */
enum class TensorType(val bytes: Int, val least: Int, val most: Int) {
    FLOAT32(4, 0, 0),
    UINT8(1, 0, 255),
    INT8(1, -128, 127),
}

/**
 * An input or output of a model: [count] values of [type]. Quantised: real = [scale] * (stored - [zeroPoint]);
 * a scale of 0 means not quantised.
 */
data class TensorEnd(val type: TensorType, val count: Int, val scale: Float = 0f, val zeroPoint: Int = 0)

/** What runs a model: [nodes] the file has; [left] is what the interpreter runs itself, a delegate's kernels included. */
data class Plan(val nodes: Int, val left: Int)

/** An interpreter with its delegate, ready to run; used and closed on the thread that opened it. */
interface Opened : AutoCloseable {
    val input: TensorEnd
    val output: TensorEnd
    val plan: Plan

    /** What the last [run] took without copying in and out, in nanoseconds; null if unknown. */
    val invokeNanos: Long?

    /** Computes [answer] from [picture], direct buffers in native order, both rewound by the caller. Throws what the runtime throws. */
    fun run(picture: ByteBuffer, answer: ByteBuffer)

    /** Frees the interpreter, then its delegate; a second call does nothing. */
    override fun close()
}

/** A library that opens models: TensorFlow Lite in the app, a fake in the tests. */
interface Runtime {
    /** Its version, such as "2.16.1". */
    val version: String

    /**
     * Opens [model] (a direct buffer, memory-mapped or not) with [delegate] and CPU [threads]. Whatever
     * fails is thrown, with nothing left open.
     */
    fun open(model: ByteBuffer, delegate: Delegate, threads: Int): Opened
}
