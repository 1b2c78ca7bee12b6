package org.lenetedge.core

import java.io.File
import java.nio.ByteBuffer

/** The package's own golden vectors and models. */
object Fixtures {
    val goldenText: String by lazy { File(System.getProperty("golden")).readText() }
    val golden: Golden by lazy { Golden.parse(goldenText) }
    val stringsText: String by lazy { File(System.getProperty("strings")).readText() }
    val strings: GoldenStrings by lazy { GoldenStrings.parse(stringsText) }

    fun content(model: Model): ByteBuffer = content(model.file)

    fun content(file: String): ByteBuffer =
        ByteBuffer.wrap(File(System.getProperty("released"), file).readBytes())
}
