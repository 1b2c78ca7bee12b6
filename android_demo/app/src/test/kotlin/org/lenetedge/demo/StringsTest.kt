package org.lenetedge.demo

import org.junit.Assert.assertEquals
import org.junit.Test
import org.w3c.dom.Element
import org.w3c.dom.Node
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory

class StringsTest {
    @Test
    fun `the German strings are the English ones, with the same places for numbers`() {
        assertEquals(places("values"), places("values-de"))
    }

    @Test
    fun `no layout has words of its own`() {
        val files = File("src/main/res").walk().filter { it.isFile }
        val layouts = files.filter { it.parentFile.name.startsWith("layout") }
        val words = Regex("android:(?:text|contentDescription|hint)=\"[^@\"]+\"")
        val own = layouts.flatMap { words.findAll(it.readText()) }
        assertEquals(emptyList<String>(), own.map { it.value }.toList())
    }

    /** For each string that is to be translated its placeholders, the same for each of a plural's forms. */
    private fun places(folder: String): Map<String, Set<List<String>>> {
        val root = DocumentBuilderFactory.newInstance().newDocumentBuilder()
            .parse(File("src/main/res/$folder/strings.xml")).documentElement
        val all = List(root.childNodes.length) { root.childNodes.item(it) }.filterIsInstance<Element>()
        return all.filter { it.getAttribute("translatable") != "false" }.associate { one ->
            val items = one.getElementsByTagName("item")
            val texts = if (items.length == 0) listOf(one) else List(items.length) { items.item(it) }
            one.getAttribute("name") to texts.map { places(it) }.toSet()
        }
    }

    private fun places(text: Node): List<String> =
        Regex("%\\d\\$.").findAll(text.textContent).map { it.value }.sorted().toList()
}
