import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * A node of Elasticsearch for tests, on loopback: {@code TestNode HOME FOLDER PORT TRANSPORT}.
 *
 * <p>HOME has its modules and may be shared; FOLDER is this node's own. The published jars
 * hold the core without the launcher of the distribution, which this stands in for. It ends
 * with a signal; what was acknowledged is then on the disk.
 */
final class TestNode {
    private TestNode() {}

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]);
        Path folder = Path.of(arguments[1]);
        Path config = Files.createDirectories(folder.resolve("config"));
        LogConfigurator.loadLog4jPlugins();
        LogConfigurator.configureESLogging();

        Settings settings =
            Settings.builder()
                .put("path.home", home.toString())
                .put("path.data", folder.resolve("data").toString())
                .put("path.logs", folder.resolve("logs").toString())
                .put("node.name", "fyr-test")
                .put("cluster.name", "fyr-test")
                .put("discovery.type", "single-node")
                .put("network.host", "127.0.0.1")
                .put("http.port", arguments[2])
                .put("transport.port", arguments[3])
                // A full disk of the machine is nothing that tests are about.
                .put("cluster.routing.allocation.disk.threshold_enabled", false)
                .build();
        Environment environment = new Environment(settings, config);
        PluginsLoader plugins =
            PluginsLoader.createPluginsLoader(
                PluginsLoader.loadModulesBundles(environment.modulesDir()),
                PluginsLoader.loadPluginsBundles(environment.pluginsDir()),
                Map.of(),
                false);

        Node node = new Node(environment, plugins);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        Thread.currentThread().join();
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (Exception problem) {
            problem.printStackTrace();
        }
    }
}
