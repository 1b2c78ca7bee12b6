import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.function.Function;
import org.lenetedge.core.Delegate;
import org.lenetedge.core.Golden;
import org.lenetedge.core.GoldenModel;
import org.lenetedge.core.GoldenStrings;
import org.lenetedge.core.Model;
import org.lenetedge.core.Offer;
import org.lenetedge.core.Opened;
import org.lenetedge.core.Reader;
import org.lenetedge.core.Request;
import org.lenetedge.core.Task;
import org.lenetedge.core.Watch;
import org.lenetedge.demo.LiteRuntime;

/**
 * ReadGolden FOLDER: opens each model of FOLDER with each delegate as the app does, and reads the golden pictures and
 * lines there. R8 shrinks it with the app, as one more thing that is reached; rules.py says what for.
 */
public final class ReadGolden {
    public static void main(String[] arguments) throws IOException {
        Path folder = Paths.get(arguments[0]);
        LiteRuntime runtime = new LiteRuntime();
        System.out.println("TensorFlow Lite " + runtime.getVersion());
        Golden golden = Golden.Companion.parse(text(folder.resolve("golden.json")));
        for (Model model : Model.values()) {
            read(runtime, folder, golden.of(model), delegate -> new Request(model, delegate, 1, Task.DIGIT));
        }
        GoldenStrings strings = GoldenStrings.Companion.parse(text(folder.resolve("strings.json")));
        read(runtime, folder, strings, delegate -> new Request(Model.INT8, delegate, 1, Task.LINE));
    }

    private static void read(
            LiteRuntime runtime, Path folder, GoldenModel model, Function<Delegate, Request> request)
            throws IOException {
        ByteBuffer content = bytes(folder.resolve(model.getFile()));
        for (Delegate delegate : Delegate.values()) {
            open(runtime, content, delegate);
            // The reader's own check throws if the scores are not the golden ones.
            try (Reader reader = new Reader(runtime, content, model, request.apply(delegate), OFFER, UNWATCHED)) {
                reader.read(model.getInputs().get(0));
                System.out.println(model.getFile() + ": asked " + delegate.getAsked() + ", ran " + ran(reader));
            }
        }
    }

    private static final Offer OFFER = new Offer(35, true, Collections.emptySet());

    private static final Watch UNWATCHED = new Watch() {
        @Override
        public void trying(Delegate delegate) {}

        @Override
        public void survived(Delegate delegate) {}
    };

    private static String ran(Reader reader) {
        return reader.getOpening().getUsed().getAsked();
    }

    /** The reader falls back where a delegate lacks a class or a method: here it has to open, but for a GPU without OpenGL. */
    private static void open(LiteRuntime runtime, ByteBuffer content, Delegate delegate) {
        try (Opened opened = runtime.open(content, delegate, 1)) {
            opened.getPlan();
        } catch (RuntimeException error) {
            if (delegate != Delegate.GPU) throw error;
        }
    }

    private static String text(Path path) throws IOException {
        return new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
    }

    private static ByteBuffer bytes(Path path) throws IOException {
        byte[] bytes = Files.readAllBytes(path);
        ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length);
        direct.put(bytes).rewind();
        return direct;
    }
}
