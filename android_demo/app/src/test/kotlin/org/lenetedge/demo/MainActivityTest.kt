package org.lenetedge.demo

import android.content.Intent
import android.content.SharedPreferences
import android.content.pm.PackageManager
import android.graphics.Insets
import android.net.Uri
import android.os.Parcel
import android.view.MotionEvent
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.lenetedge.core.Delegate
import org.lenetedge.core.Golden
import org.lenetedge.core.Model
import org.lenetedge.core.sha256
import org.lenetedge.demo.FakeRuntime.Companion.scores
import org.lenetedge.demo.Stage.Companion.LANDSCAPE
import org.lenetedge.demo.Stage.Companion.ONE
import org.lenetedge.demo.Stage.Companion.PLAIN_RUNS
import org.lenetedge.demo.Stage.Companion.SEVEN
import org.lenetedge.demo.Stage.Companion.XNNPACK_RUNS
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File
import java.io.FileNotFoundException
import java.nio.ByteBuffer
import java.util.concurrent.CountDownLatch

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TestApplication::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class MainActivityTest {
    @Test
    fun `a stroke downwards is read as a one`() = Stage().use {
        it.awaitRunning(XNNPACK_RUNS)
        assertEquals("–", it.words(R.id.digit))
        it.draw(*ONE)
        it.awaitDigit("1")
        assertEquals("Canvas with a drawing. Read as 1", it.canvas.contentDescription)
        it.await("times") { "\u00A0ms, p95\u00A0" in it.words(R.id.latency) }
    }

    @Test
    fun `it reads while the finger still moves`() = Stage().use {
        it.touch(MotionEvent.ACTION_DOWN, ONE[0])
        it.touch(MotionEvent.ACTION_MOVE, ONE[1])
        it.awaitDigit("1")
    }

    @Test
    fun `below the threshold it says unsure`() = Stage { it.fake.scores = scores(4, 0.5f) }.use {
        it.draw(*ONE)
        it.awaitDigit("4")
        assertEquals("unsure, 50%", it.words(R.id.sureness))
        assertEquals("Unsure, perhaps 4", it.activity.view<View>(R.id.digit).contentDescription)
        it.app.fake.scores = scores(4)
        it.draw(*ONE)
        it.await("a sure answer") { it.words(R.id.sureness) == "99.2%" }
        assertEquals("Read as 4", it.activity.view<View>(R.id.digit).contentDescription)
    }

    @Test
    fun `undo and clear take strokes back`() = Stage().use {
        it.draw(*ONE)
        it.draw(*SEVEN)
        it.awaitDigit("7")
        it.tap(R.id.undo)
        it.awaitDigit("1")
        it.draw(*SEVEN)
        it.tap(R.id.clear)
        it.awaitDigit("–")
        assertTrue(it.canvas.drawing.isEmpty)
        assertEquals("Canvas, empty. Draw a digit with a finger.", it.canvas.contentDescription)
        it.tap(R.id.undo)
        it.awaitDigit("–")
    }

    @Test
    fun `a palm takes its own stroke back and a lost gesture all of them`() = Stage().use {
        it.draw(*ONE)
        val second = MotionEvent.ACTION_POINTER_DOWN or (1 shl MotionEvent.ACTION_POINTER_INDEX_SHIFT)
        val palm = MotionEvent.ACTION_POINTER_UP or (1 shl MotionEvent.ACTION_POINTER_INDEX_SHIFT)
        it.touch(MotionEvent.ACTION_DOWN, 0.2f to 0.2f)
        it.touch(second, 0.2f to 0.2f, 0.9f to 0.9f)
        it.touch(palm, 0.2f to 0.2f, 0.9f to 0.9f, flags = MotionEvent.FLAG_CANCELED)
        assertEquals(2, it.canvas.drawing.strokes.size)
        it.touch(MotionEvent.ACTION_CANCEL, 0.2f to 0.2f)
        assertEquals(1, it.canvas.drawing.strokes.size)
        it.awaitDigit("1")
    }

    @Test
    fun `a finger on the canvas draws and does not scroll, elsewhere it scrolls`() = Stage().use {
        val root = it.activity.view<View>(R.id.root)
        it.drag(it.canvas, -0.9f)
        assertEquals(0, root.scrollY)
        assertEquals(1, it.canvas.drawing.strokes.size)
        it.drag(it.activity.view(R.id.running), -0.9f)
        assertTrue("expected the screen to scroll", root.scrollY > 0)
        assertEquals(1, it.canvas.drawing.strokes.size)
    }

    @Test
    fun `ten fingers that scribble on and on leave a small state and an answer`() = Stage().use {
        val fingers = Array(10) { i -> 0.05f + i * 0.1f to 0.5f }
        for (i in fingers.indices) {
            val index = i shl MotionEvent.ACTION_POINTER_INDEX_SHIFT
            val down = if (i == 0) MotionEvent.ACTION_DOWN else MotionEvent.ACTION_POINTER_DOWN or index
            it.touch(down, *fingers.copyOfRange(0, i + 1))
        }
        repeat(2000) { move ->
            val y = 0.5f + 0.4f * (move % 2) - 0.0001f * move
            it.touch(MotionEvent.ACTION_MOVE, *Array(10) { i -> fingers[i].first to y })
        }
        assertTrue("expected 10 to 100 KB, got ${it.savedBytes()}", it.savedBytes() in 10_000..100_000)
        it.awaitDigit("7")
        it.touch(MotionEvent.ACTION_UP, fingers[0])
        it.tap(R.id.clear)
        it.draw(*ONE)
        it.awaitDigit("1")
    }

    @Test
    fun `a turn of the screen keeps the drawing, the choice and the reader`() = Stage().use {
        it.choose(R.id.models, "float32")
        it.choose(R.id.threads, "4")
        it.draw(*ONE)
        it.awaitDigit("1")
        val drawn = it.canvas.drawing
        val opened = it.app.fake.all.size
        val before = it.activity
        it.turn(LANDSCAPE)
        assertTrue("expected another activity", before !== it.activity)
        assertEquals(drawn, it.canvas.drawing)
        it.awaitDigit("1")
        assertEquals("float32" to "4", it.chosen(R.id.models) to it.chosen(R.id.threads))
        assertEquals("expected no reader to be opened anew", opened, it.app.fake.all.size)
        assertEquals(1, it.app.fake.stillOpen.size)
    }

    @Test
    fun `a turn during an inference shows its answer on the new screen`() {
        val started = CountDownLatch(1)
        val go = CountDownLatch(1)
        val stage = Stage { app ->
            app.fake.reading = {
                started.countDown()
                go.await()
            }
        }
        stage.use {
            it.draw(*ONE)
            it.await("the inference") { started.count == 0L }
            it.turn(LANDSCAPE)
            assertEquals("–", it.words(R.id.digit))
            go.countDown()
            it.awaitDigit("1")
        }
        stage.await("everything to be closed once") { stage.app.fake.all.all { it.closings == 1 } }
    }

    @Test
    fun `the drawing and the choice outlive the app`() = Stage().use {
        it.choose(R.id.models, "int8")
        it.draw(*SEVEN)
        it.awaitDigit("7")
        it.dieAndReturn()
        it.awaitDigit("7")
        assertEquals("int8", it.chosen(R.id.models))
    }

    @Test
    fun `what is chosen is what runs`() = Stage().use {
        it.awaitRunning(XNNPACK_RUNS)
        it.draw(*ONE)
        for (model in Model.entries) {
            it.choose(R.id.models, model.label)
            it.await(model.label) { it.app.fake.stillOpen.singleOrNull()?.model?.file == model.file }
            it.awaitDigit("1")
        }
        val delegates = mapOf("CPU" to Delegate.NONE, "GPU" to Delegate.GPU, "NNAPI" to Delegate.NNAPI)
        for ((label, delegate) in delegates) {
            it.choose(R.id.delegates, label)
            it.await(label) { it.app.fake.stillOpen.singleOrNull()?.delegate == delegate }
            it.awaitDigit("1")
        }
        it.choose(R.id.threads, "2")
        it.await("two threads") { it.app.fake.stillOpen.singleOrNull()?.threads == 2 }
    }

    @Test
    fun `it says which share runs where`() = Stage {
        it.fake.left = { delegate -> if (delegate == Delegate.GPU) 4 else 18 }
    }.use {
        it.awaitRunning(PLAIN_RUNS)
        it.awaitWarning("XNNPACK does not run. It was created but took none of the 18 nodes.")
        it.choose(R.id.delegates, "GPU")
        it.awaitRunning("GPU runs at least 15 of 18 nodes")
        assertEquals("", it.words(R.id.warning))
    }

    @Test
    fun `Android 15 says that NNAPI is deprecated, when it is chosen`() = Stage().use {
        assertEquals("", it.words(R.id.warning))
        it.choose(R.id.delegates, "NNAPI")
        it.awaitRunning("NNAPI runs 18 of 18 nodes")
        assertEquals("Android deprecated NNAPI in version 15. It still works.", it.words(R.id.warning))
    }

    @Test
    fun `a graphics processor that is not listed is not tried`() = Stage { it.listed = false }.use {
        it.choose(R.id.delegates, "GPU")
        it.awaitRunning(XNNPACK_RUNS)
        it.awaitWarning(
            "GPU does not run. TensorFlow Lite does not list this device’s graphics processor as compatible.",
        )
        assertTrue(it.app.fake.all.none { opened -> opened.delegate == Delegate.GPU })
    }

    @Test
    fun `a delegate that cannot be made falls back with the reason`() = Stage().use {
        it.app.fake.opening = { delegate -> check(delegate != Delegate.GPU) { "no driver\nat 0x0" } }
        it.choose(R.id.delegates, "GPU")
        it.awaitWarning("GPU does not run. It could not be created: no driver")
        it.awaitRunning(XNNPACK_RUNS)
    }

    @Test
    fun `a delegate whose scores are wrong falls back with the reason`() = Stage().use {
        it.app.fake.wrong = { delegate -> if (delegate == Delegate.NNAPI) 3 else 0 }
        it.choose(R.id.delegates, "NNAPI")
        it.awaitWarning("For 3 of 23 pictures its scores are further off than rounding explains.")
        it.awaitRunning(XNNPACK_RUNS)
    }

    @Test
    fun `a delegate that dies on a later run falls back and answers`() = Stage().use {
        it.choose(R.id.delegates, "GPU")
        it.awaitRunning("GPU runs 18 of 18 nodes")
        it.app.fake.reading = { delegate -> check(delegate != Delegate.GPU) { "context lost" } }
        it.draw(*ONE)
        it.awaitDigit("1")
        it.awaitWarning("GPU does not run. Running it failed: context lost")
        assertEquals(XNNPACK_RUNS, it.words(R.id.running))
    }

    @Test
    fun `without any answer that can be trusted it says so, and another choice works`() = Stage().use {
        it.app.fake.wrong = { 2 }
        it.choose(R.id.models, "int8")
        it.awaitWarning(
            "No answer with this choice can be trusted. For 2 of 23 pictures its scores are further off",
        )
        assertEquals("", it.words(R.id.running))
        assertFalse(it.activity.view<View>(R.id.check).isEnabled)
        it.draw(*ONE)
        it.app.fake.wrong = { 0 }
        it.choose(R.id.models, "float16")
        it.awaitRunning(XNNPACK_RUNS)
        it.awaitDigit("1")
        assertEquals("", it.words(R.id.warning))
        it.app.fake.reading = { error("gone") }
        it.draw(*ONE)
        it.awaitWarning("No answer with this choice can be trusted. Running it failed: gone")
        it.awaitDigit("–")
    }

    @Test
    fun `a model that is missing, cut short or another one is a sentence`() {
        val whole = TestApplication.golden.of(Model.INT8_QAT).bytes
        val cases = listOf(
            null to "lenet5_int8_qat.tflite is missing from the app.",
            ByteBuffer.allocateDirect(whole - 1) to "lenet5_int8_qat.tflite is cut short.",
            ByteBuffer.allocateDirect(whole) to "lenet5_int8_qat.tflite is not the file that was tested.",
        )
        Stage().use {
            it.draw(*ONE)
            for ((content, sentence) in cases) {
                it.app.spoilt[Model.INT8_QAT.file] = content
                it.choose(R.id.models, "int8_qat")
                it.awaitWarning("$sentence Choose another model.")
                it.awaitDigit("–")
                it.choose(R.id.models, "float32")
                it.awaitRunning(XNNPACK_RUNS)
                it.awaitDigit("1")
            }
        }
    }

    @Test
    fun `damaged test pictures are a sentence`() {
        val nothing = """{"format": 1, "pictures": [], "drawings": [], "files": {}}"""
        for (content in listOf(null, "{", "[]", """{"format": 2}""", nothing)) {
            val bytes = content?.let { ByteBuffer.wrap(it.toByteArray()) }
            Stage { it.spoilt["golden.json"] = bytes }.use {
                it.awaitWarning("The app’s test pictures are missing or damaged")
                it.draw(*ONE)
                it.settle()
                assertEquals("–", it.words(R.id.digit))
            }
        }
    }

    @Test
    fun `a check tells its verdict, and then its results can be shared`() = Stage().use {
        assertFalse("expected nothing to share", it.activity.view<View>(R.id.share).isEnabled)
        assertTrue("After that you can share the results" in it.words(R.id.verdict))
        it.awaitRunning(XNNPACK_RUNS)
        it.tap(R.id.check)
        val words = "Passed on XNNPACK. 23 of 23 pictures within their limits; 23 equal to TensorFlow, byte"
        it.await("the verdict") { words in it.words(R.id.verdict) }
        assertEquals("expected the checked readers to be closed", 1, it.app.fake.stillOpen.size)
        it.tap(R.id.share)
        val chooser = shadowOf(it.activity).nextStartedActivity
        assertEquals(Intent.ACTION_CHOOSER, chooser.action)
        val sent = checkNotNull(chooser.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java))
        assertEquals(Intent.ACTION_SEND to "application/json", sent.action to sent.type)
        assertTrue(sent.flags and Intent.FLAG_GRANT_READ_URI_PERMISSION != 0)
        val address = checkNotNull(sent.getParcelableExtra(Intent.EXTRA_STREAM, Uri::class.java))
        assertEquals(address, sent.clipData?.getItemAt(0)?.uri)
        val stream = checkNotNull(it.app.contentResolver.openInputStream(address))
        val file = stream.use { content -> content.readBytes().decodeToString() }
        assertEquals(file, sent.getStringExtra(Intent.EXTRA_TEXT))
        val report = JSONObject(file)
        assertEquals("lenet-edge benchmark", report.getString("format"))
        assertTrue(Regex("""\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ""").matches(report.getString("date")))
        assertEquals(23, report.getJSONArray("answers").getJSONObject(0).getJSONArray("scores").length())
    }

    @Test
    fun `where no file can be written the results are shared as text`() = Stage().use {
        it.awaitRunning(XNNPACK_RUNS)
        check(File(it.app.cacheDir, "lenet5-results.json.part").mkdirs())
        it.tap(R.id.check)
        it.await("the verdict") { "Passed on XNNPACK." in it.words(R.id.verdict) }
        it.tap(R.id.share)
        val chooser = shadowOf(it.activity).nextStartedActivity
        val sent = checkNotNull(chooser.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java))
        assertFalse(sent.hasExtra(Intent.EXTRA_STREAM))
        assertTrue("lenet-edge benchmark" in sent.getStringExtra(Intent.EXTRA_TEXT).orEmpty())
    }

    @Test
    fun `a check of a float model speaks of no bytes, and another choice forgets it`() = Stage().use {
        it.choose(R.id.models, "float32")
        it.choose(R.id.delegates, "CPU")
        it.awaitRunning(PLAIN_RUNS)
        it.tap(R.id.check)
        val words = "Passed on CPU. 23 of 23 pictures within their limits.\n"
        it.await("the verdict") { words in it.words(R.id.verdict) }
        it.choose(R.id.models, "int8")
        it.await("another check to be asked for") { "you can share the results" in it.words(R.id.verdict) }
        assertFalse(it.activity.view<View>(R.id.share).isEnabled)
    }

    @Test
    fun `another choice abandons a check`() = Stage().use {
        it.awaitRunning(XNNPACK_RUNS)
        val inCheck = CountDownLatch(1)
        val go = CountDownLatch(1)
        it.app.fake.opening = { _ ->
            inCheck.countDown()
            go.await()
        }
        it.tap(R.id.check)
        it.await("the check") { inCheck.count == 0L && it.words(R.id.verdict) == "Checking: load 1 of 6" }
        assertFalse(it.activity.view<View>(R.id.check).isEnabled)
        it.choose(R.id.models, "int8")
        go.countDown()
        it.await("the other model") { it.app.fake.stillOpen.singleOrNull()?.model?.file == Model.INT8.file }
        assertEquals("expected one load of the check", 3, it.app.fake.all.size)
    }

    @Test
    fun `the results' provider gives its one file to read and nothing else`() {
        Stage().use {
            val resolver = it.app.contentResolver
            val address = ResultsProvider.address
            ResultsProvider.file(it.app).writeText("{}")
            resolver.query(address, null, null, null, null).use { row ->
                checkNotNull(row).moveToFirst()
                assertEquals("lenet5-results.json" to 2L, row.getString(0) to row.getLong(1))
            }
            assertThrows(FileNotFoundException::class.java) { resolver.openOutputStream(address) }
            val other = Uri.parse("content://org.lenetedge.demo.results/../shared_prefs/settings.xml")
            assertThrows(FileNotFoundException::class.java) { resolver.openInputStream(other) }
            assertEquals(null, resolver.getType(other))
            assertThrows(UnsupportedOperationException::class.java) { resolver.delete(address, null, null) }
        }
    }

    @Test
    fun `a delegate that ended the app is not tried again until it is chosen by hand`() {
        Stage { app ->
            app.settings.request = app.settings.request.copy(delegate = Delegate.GPU)
            marks(app).edit().putBoolean("GPU", true).commit()
        }.use {
            it.awaitRunning(XNNPACK_RUNS)
            it.awaitWarning("GPU does not run. It ended the whole app when it was last tried.")
            assertEquals("GPU", it.chosen(R.id.delegates))
            it.choose(R.id.delegates, "GPU")
            it.awaitRunning("GPU runs 18 of 18 nodes")
            assertTrue("expected no mark to stay", marks(it.app).all.isEmpty())
        }
    }

    @Test
    fun `while a delegate is tried there is a mark on the disk`() {
        var marked = emptySet<String>()
        Stage { app -> app.fake.opening = { marked = marks(app).all.keys.toSet() } }.use {
            it.awaitRunning(XNNPACK_RUNS)
            assertEquals(setOf("XNNPACK"), marked)
            assertTrue(marks(it.app).all.isEmpty())
        }
    }

    @Test
    fun `all is closed once when the person leaves`() {
        val stage = Stage()
        stage.awaitRunning(XNNPACK_RUNS)
        stage.turn(LANDSCAPE)
        stage.close()
        stage.await("everything to be closed once") { stage.app.fake.all.map { it.closings } == listOf(1) }
    }

    @Test
    fun `what the app brings is mapped or read, and what it lacks is null`() = Stage().use {
        val files = AssetFiles(it.app.assets)
        val model = checkNotNull(files.content(Model.INT8.file))
        assertTrue(model.isDirect)
        assertEquals(TestApplication.golden.of(Model.INT8).sha256, sha256(model))
        val compressed = checkNotNull(files.content("golden.json"))
        assertTrue(compressed.isDirect)
        assertEquals(23, Golden.parse(Charsets.UTF_8.decode(compressed).toString()).pictures.size)
        assertEquals(null, files.content("lenet6.tflite"))
    }

    @Test
    fun `the system's bars and the camera's hole cover nothing`() = Stage().use {
        val root = it.activity.view<View>(R.id.root)
        val before = listOf(root.paddingLeft, root.paddingTop, root.paddingRight, root.paddingBottom)
        val insets = WindowInsets.Builder()
            .setInsets(WindowInsets.Type.systemBars(), Insets.of(0, 63, 0, 126))
            .setInsets(WindowInsets.Type.displayCutout(), Insets.of(90, 0, 0, 0))
            .build()
        repeat(2) { root.dispatchApplyWindowInsets(insets) }
        val after = listOf(root.paddingLeft, root.paddingTop, root.paddingRight, root.paddingBottom)
        assertEquals(listOf(90, 63, 0, 126), after.zip(before) { now, then -> now - then })
    }

    @Test
    fun `what scrolls is seen behind the system's bars, which no scrim covers`() = Stage().use {
        assertFalse(it.activity.view<ViewGroup>(R.id.root).clipToPadding)
        assertFalse(it.activity.window.isNavigationBarContrastEnforced)
    }

    @Test
    fun `the app asks for no permission`() = Stage().use {
        val flags = PackageManager.GET_PERMISSIONS
        val asked = it.app.packageManager.getPackageInfo(it.app.packageName, flags).requestedPermissions
        assertEquals(emptyList<String>(), asked.orEmpty().toList())
    }

    private fun marks(app: TestApplication): SharedPreferences = app.getSharedPreferences("marks", 0)

    private fun Stage.savedBytes(): Int {
        val parcel = Parcel.obtain()
        parcel.writeBundle(saved())
        return parcel.dataSize().also { parcel.recycle() }
    }
}
