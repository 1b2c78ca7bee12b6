import groovy.json.JsonSlurper
import org.jetbrains.kotlin.gradle.dsl.JvmTarget
import java.security.MessageDigest

plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "org.lenetedge.demo"
    compileSdk = 36

    defaultConfig {
        applicationId = "org.lenetedge.demo"
        minSdk = 26
        targetSdk = 36
        versionCode = 1
        versionName = libs.versions.app.get()
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
        }
    }

    // One APK for each processor, and one for all of them.
    splits {
        abi {
            isEnable = true
            reset()
            include("arm64-v8a", "armeabi-v7a", "x86_64")
            isUniversalApk = true
        }
    }

    androidResources {
        noCompress += "tflite" // A compressed file can't be memory-mapped.
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all {
                it.jvmArgs("--add-opens=java.base/java.io=ALL-UNNAMED") // Robolectric closes file descriptors
                // They load the Android library on this machine's JVM, which only Maven prepares.
                it.exclude("org/lenetedge/demo/onjvm/**")
                it.systemProperty("golden", rootDir.resolve("../lenet_edge/golden/golden.json").path)
                it.systemProperty("strings", rootDir.resolve("../lenet_edge/golden/strings.json").path)
                it.systemProperty("released", rootDir.resolve("../lenet_edge/released").path)
                it.systemProperty("screens", rootDir.resolve("build/screens").path)
            }
        }
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_11
        freeCompilerArgs.add("-Xnullability-annotations=@android.annotation:warn")
    }
}

dependencies {
    implementation(project(":core"))
    implementation(libs.litert)
    implementation(libs.litert.api)
    implementation(libs.litert.gpu)
    implementation(libs.litert.gpu.api)
    testImplementation(libs.junit)
    testImplementation(libs.robolectric)
}

/** Copies the models and golden vectors; stops the build if a model's sha256 is not the one in the golden vectors. */
abstract class CopyModels : DefaultTask() {
    @get:InputFiles
    abstract val models: ConfigurableFileCollection

    @get:InputFile
    abstract val golden: RegularFileProperty

    @get:InputFile
    abstract val strings: RegularFileProperty

    @get:InputDirectory
    abstract val released: DirectoryProperty

    @get:OutputDirectory
    abstract val assets: DirectoryProperty

    @TaskAction
    fun copy() {
        val folder = assets.get().asFile
        folder.deleteRecursively()
        for (vectors in listOf(golden, strings)) {
            vectors.get().asFile.let {
                it.copyTo(folder.resolve(it.name))
            }
        }
        val promised = read(golden)["files"] as Map<*, *>
        for (model in models) copy(model, promised[model.name] as Map<*, *>?)
        val wide = read(strings)["file"] as Map<*, *>
        copy(released.get().asFile.resolve(wide["name"] as String), wide)
    }

    private fun read(vectors: RegularFileProperty) = JsonSlurper().parse(vectors.get().asFile) as Map<*, *>

    private fun copy(model: File, promised: Map<*, *>?) {
        val expected = promised?.get("sha256")
        val got = MessageDigest.getInstance("SHA-256").digest(model.readBytes()).joinToString("") {
            "%02x".format(it)
        }
        if (got != expected) throw GradleException("expected ${model.name} of sha256 $expected, got $got")
        model.copyTo(assets.get().asFile.resolve(model.name))
    }
}

val copyModels = tasks.register<CopyModels>("copyModels") {
    for (kind in listOf("float32", "float16", "int8", "int8_qat")) {
        models.from(rootDir.resolve("../lenet_edge/released/lenet5_$kind.tflite"))
    }
    golden.set(rootDir.resolve("../lenet_edge/golden/golden.json"))
    strings.set(rootDir.resolve("../lenet_edge/golden/strings.json"))
    released.set(rootDir.resolve("../lenet_edge/released"))
}

androidComponents {
    onVariants { variant ->
        variant.sources.assets?.addGeneratedSourceDirectory(copyModels, CopyModels::assets)
    }
}
