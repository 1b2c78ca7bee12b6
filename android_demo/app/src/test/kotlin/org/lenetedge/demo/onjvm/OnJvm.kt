package org.lenetedge.demo.onjvm

import org.junit.Assume.assumeTrue
import org.lenetedge.core.Delegate
import org.lenetedge.core.Golden
import org.lenetedge.core.GoldenStrings
import org.lenetedge.core.Model
import org.lenetedge.core.Offer
import org.lenetedge.core.Opened
import org.lenetedge.core.Watch
import org.lenetedge.core.buffer
import org.lenetedge.core.fetch
import org.lenetedge.core.store
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * What the tests in this folder share. They run the AAR's own library, with tools/bionic, in a JVM without
 * Robolectric. Times measured this way say nothing about a phone.
 */
object OnJvm {
    val golden: Golden by lazy { Golden.parse(File(System.getProperty("golden")).readText()) }
    val strings: GoldenStrings by lazy { GoldenStrings.parse(File(System.getProperty("strings")).readText()) }

    /** A device with all that the policy asks for: NNAPI's API level, and a GPU on the list. */
    val everything = Offer(apiLevel = 35, gpuListed = true)

    val unwatched = object : Watch {
        override fun trying(delegate: Delegate) = Unit
        override fun survived(delegate: Delegate) = Unit
    }

    fun content(model: Model): ByteBuffer = content(model.file)

    fun content(file: String): ByteBuffer = direct(File(System.getProperty("released"), file).readBytes())

    fun direct(bytes: ByteArray): ByteBuffer =
        ByteBuffer.allocateDirect(bytes.size).order(ByteOrder.nativeOrder()).apply { put(bytes).rewind() }

    /** Skips the test, and says why, where tools/bionic found no OpenGL ES on this machine. */
    fun needsGpu() {
        val library = File(System.getProperty("java.library.path"), "libtensorflowlite_gpu_jni.so")
        if (!library.exists()) System.err.println("GPU test skipped: no libEGL.so.1 and libGLESv2.so.2 here")
        assumeTrue("expected OpenGL ES on this machine, got none", library.exists())
    }
}

/** Returns the scores of [pixels] as the file stores them. */
fun Opened.stored(pixels: ByteArray): FloatArray {
    val picture = input.buffer()
    val answer = output.buffer()
    input.store(pixels, picture)
    run(picture, answer)
    return output.fetch(answer)
}
