package org.lenetedge.core

import java.io.File
import java.nio.ByteBuffer

/** The package's own golden vectors and models. */
object Fixtures {
    val goldenText: String by lazy { File(System.getProperty("golden")).readText() }
    val golden: Golden by lazy { Golden.parse(goldenText) }

    fun content(model: Model): ByteBuffer =
        ByteBuffer.wrap(File(System.getProperty("released"), model.file).readBytes())
}
