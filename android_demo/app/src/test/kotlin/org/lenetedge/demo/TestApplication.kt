package org.lenetedge.demo

import org.lenetedge.core.Golden
import org.lenetedge.core.GoldenStrings
import org.lenetedge.core.Runtime
import java.io.File
import java.nio.ByteBuffer

/** The app with a fake runtime, and with files that a test can damage. */
open class TestApplication : DemoApplication() {
    val fake by lazy { FakeRuntime(golden, strings) }

    /** Files that are replaced; null for a missing one. */
    val spoilt = mutableMapOf<String, ByteBuffer?>()

    @Volatile var listed = true

    override fun runtime(): Runtime = fake

    override fun files(): AppFiles = object : AppFiles {
        private val real = super@TestApplication.files()

        override fun content(name: String) = if (name in spoilt) spoilt[name] else real.content(name)
    }

    override fun gpuListed() = listed

    companion object {
        val golden by lazy { Golden.parse(File(System.getProperty("golden")).readText()) }
        val strings by lazy { GoldenStrings.parse(File(System.getProperty("strings")).readText()) }
    }
}
