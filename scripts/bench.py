"""Longshore against the tools that people use today, in turn on this machine: `make bench` runs it.

Everything happens in a network and a mount namespace of its own (scripts/bench.sh makes them): a Docker daemon, Debian's
docker-registry three times behind TLS, and moto as ECR's API. The images are made of files that the machine has, so that
the same machine gives the same bytes; another gives others, and only the ratios can be compared.
"""

import contextlib
import json
import os
import pathlib
import platform
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import time
import urllib.request

ACCOUNT = "123456789012"
REGION = "eu-central-1"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
OTHER = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
MIRROR = "mirror.bench.test"
ADDRESSES = {HOST: "127.0.54.1", OTHER: "127.0.54.2", MIRROR: "127.0.54.3"}
MOTO = "127.0.54.4"
PASSWORD = f"{ACCOUNT}-auth-token"
SERVICES = ["api", "web", "worker", "admin", "mail"]

scale = float(os.environ.get("SCALE", "1"))
rounds = int(os.environ.get("ROUNDS", "5"))
work = pathlib.Path(sys.argv[1])
longshore = sys.argv[2]
table_file = pathlib.Path(sys.argv[3])
BASE, OWN, SOURCE = (int(size * scale * 1_000_000) for size in (250, 60, 1))
BASE_IMAGE = f"{MIRROR}/base:1"
COPIED = f"{MIRROR}/copied:1"

environment = {
    "PATH": os.environ["PATH"],
    "HOME": str(work / "home"),
    "DOCKER_CONFIG": str(work / "home/docker"),
    "DOCKER_HOST": f"unix://{work}/docker.sock",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CA_BUNDLE": str(work / "ca.crt"),
    "REGISTRY_AUTH_FILE": str(work / "home/auth.json"),
    "REGISTRY": HOST,
}


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


def run(*command, **more):
    done = subprocess.run(command, env=environment, text=True, capture_output=True, **more)
    if done.returncode != 0:
        sys.exit(f"error: `{' '.join(map(str, command))}` failed\n{done.stdout}{done.stderr}")
    return done.stdout


def certificate():
    """An authority, and one certificate for all names and addresses of the bench."""
    names = ",".join([f"DNS:{name}" for name in ADDRESSES] + [f"IP:{MOTO}"])
    (work / "openssl.cnf").write_text(
        "[req]\ndistinguished_name=name\nprompt=no\n[name]\nCN=Longshore bench\n"
        "[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
        f"[tls]\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName={names}\n"
    )
    for name, by in (("ca", []), ("tls", ["-subj", "/CN=bench", "-CA", "ca.crt", "-CAkey", "ca.key"])):
        run("openssl", "req", "-x509", "-config", "openssl.cnf", "-days", "2", "-noenc", "-newkey", "ec",
            "-pkeyopt", "ec_paramgen_curve:prime256v1", "-extensions", name,
            "-keyout", f"{name}.key", "-out", f"{name}.crt", *by, cwd=work)
    for name in ADDRESSES:
        folder = pathlib.Path("/etc/docker/certs.d") / name
        folder.mkdir(parents=True)
        shutil.copy(work / "ca.crt", folder / "ca.crt")


def start(services, name, *command):
    log = open(work / f"{name}.log", "w")
    # Variables of this kind are settings of docker-registry's.
    plain = {key: value for key, value in environment.items() if not key.startswith("REGISTRY")}
    process = subprocess.Popen(command, env=plain, stdout=log, stderr=log)
    services.callback(lambda: (process.terminate(), process.wait()))
    return process


def until(what, ready, seconds=180):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            if ready():
                return
        time.sleep(0.1)
    sys.exit(f"error: {what} did not start; its log is in {work}")


def registry(services, name):
    storage = work / "registries" / name
    storage.mkdir(parents=True)
    configuration = {
        "version": "0.1",
        "log": {"accesslog": {"disabled": True}, "level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(storage)}},
        "http": {"addr": f"{ADDRESSES[name]}:443",
                 "tls": {"certificate": str(work / "tls.crt"), "key": str(work / "tls.key")}},
    }
    if name != MIRROR:
        configuration["auth"] = {"htpasswd": {"realm": "ecr", "path": str(work / "htpasswd")}}
    (work / f"{name}.yml").write_text(json.dumps(configuration))
    start(services, name, "docker-registry", "serve", str(work / f"{name}.yml"))
    curl = ["curl", "-sk", "-o", "/dev/null", f"https://{name}/v2/"]
    until(name, lambda: subprocess.run(curl, env=environment).returncode == 0)


def files():
    """Regular files of the machine, in an order that does not depend on the day."""
    for top in ("/usr/lib", "/usr/share", "/usr/bin"):
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                path = pathlib.Path(folder) / name
                if path.is_file() and not path.is_symlink():
                    yield path


def fill(folder, source, size):
    folder.mkdir(parents=True)
    number, largest = 0, size / 4
    for path in source:
        length = path.stat().st_size
        if length > largest:
            continue
        shutil.copy(path, folder / f"{number:05}-{path.name}")
        number, size = number + 1, size - length
        if size <= 0:
            return


def prepare():
    """The base and one more image in the mirror, and a git repository of five services."""
    source = files()
    fill(work / "base/base", source, BASE)
    (work / "base/Dockerfile").write_text("FROM scratch\nCOPY base /base\n")
    run("docker", "build", "-q", "-t", BASE_IMAGE, work / "base")
    run("docker", "push", "-q", BASE_IMAGE)
    tree = work / "tree"
    for service in SERVICES:
        fill(tree / service / "deps", source, OWN)
        fill(tree / service / "src", source, SOURCE)
        (tree / service / "src/line").write_text("one\n")
        (tree / service / "Dockerfile").write_text(f"FROM {BASE_IMAGE}\nCOPY deps /deps\nCOPY src /src\n")
    images = "".join(f"  {name}: {{ build: {name}, repository: bench/{name}, container: {name} }}\n" for name in SERVICES)
    (tree / "longshore.yaml").write_text(
        f"version: 1\nregistry: {{ host: {HOST} }}\ndefaults: {{ tags: [\"${{A}}\", \"type=raw,value=latest\"] }}\nimages:\n{images}")
    (tree / "five.yaml").write_text(
        f"version: 1\nregistry: {{ host: {HOST} }}\nimages:\n"
        "  api: { build: api, repository: bench/api, tags: [\"${A}\", \"type=raw,value=latest\", \"1\", \"1.2\", prod] }\n")
    targets = "".join(
        f'target "{name}" {{\n  context = "{name}"\n  tags = [for tag in split(" ", TAGS) : "${{REGISTRY}}/bench/{name}:${{tag}}"]\n}}\n'
        for name in SERVICES)
    (tree / "docker-bake.hcl").write_text(f'variable "REGISTRY" {{}}\nvariable "TAGS" {{ default = "v1" }}\n{targets}')
    git = ["git", "-C", tree, "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    run(*git[:3], "init", "-q", "-b", "main")
    run(*git, "add", "-A")
    run(*git, "commit", "-qm", "bench")
    run("docker", "build", "-q", "-t", COPIED, tree / "api")
    run("docker", "push", "-q", COPIED)
    # What the daemon knows of the base shall be what a pull tells it, as on any machine.
    forget_images(base=True)


def forget_images(base=False):
    """As on a machine that has built nothing yet; the base is there, as it was pulled."""
    listed = run("docker", "image", "ls", "-aq", "--no-trunc").split()
    keep = set() if base else set(run("docker", "image", "inspect", "-f", "{{.Id}}", BASE_IMAGE).split())
    for image in dict.fromkeys(listed):
        if image not in keep:
            subprocess.run(["docker", "image", "rm", "-f", image], env=environment, capture_output=True)
    run("docker", "builder", "prune", "-af")
    if base:
        run("docker", "pull", "-q", BASE_IMAGE)


def forget(contender):
    """Nothing built, nothing in the registry."""
    for name in (HOST, OTHER):
        shutil.rmtree(work / "registries" / name / "docker", ignore_errors=True)
    run("curl", "-sk", "-X", "POST", f"https://{MOTO}:{PORT}/moto-api/reset")
    TOLD.clear()
    if contender == "buildah":
        kept = run(*BUILDAH, "images", "-q", BASE_IMAGE).split()
        for image in run(*BUILDAH, "images", "-aq").split():
            if image not in kept:
                subprocess.run([*BUILDAH, "rmi", "-f", image], env=environment, capture_output=True)
    else:
        forget_images()


PORT = 5443
DAEMONS = ("dockerd", "containerd")
TOLD = {}
BUILDAH = ["buildah", "--root", str(work / "buildah"), "--runroot", str(work / "buildah-run")]

# What a pipeline's shell step does: log in, make sure of the repositories, build, tag and push, write the deploy file.
LOGIN = 'aws="aws --endpoint-url $AWS_ENDPOINT_URL_ECR ecr"\nset -euo pipefail\n'
ENSURE = """  $aws describe-repositories --repository-names "bench/$name" >/dev/null 2>&1 ||
    $aws create-repository --repository-name "bench/$name" >/dev/null
  repository=$REGISTRY/bench/$name
"""
DEPLOY = """  entries+=${entries:+,}$(printf '{"name":"%s","imageUri":"%s"}' "$name" "$repository:$1")
done
printf '[%s]' "$entries" >imageDefinitions.json
"""
SCRIPTS = {
    "shell script": LOGIN + '$aws get-login-password | docker login -u AWS --password-stdin "$REGISTRY"\nentries=\n'
    "for name in $SERVICES; do\n" + ENSURE +
    '  docker build -t "$repository:$1" "$name"\n'
    '  for tag in "${@:2}"; do docker tag "$repository:$1" "$repository:$tag"; done\n'
    '  for tag in "$@"; do docker push "$repository:$tag"; done\n' + DEPLOY,
    "docker build, skopeo": LOGIN + '$aws get-login-password | skopeo login -u AWS --password-stdin "$REGISTRY"\nentries=\n'
    "for name in $SERVICES; do\n" + ENSURE +
    '  docker build -t "$repository:$1" "$name"\n'
    '  skopeo copy --src-daemon-host "$DOCKER_HOST" "docker-daemon:$repository:$1" "docker://$repository:$1"\n'
    '  for tag in "${@:2}"; do skopeo copy "docker://$repository:$1" "docker://$repository:$tag"; done\n' + DEPLOY,
    "docker buildx bake": LOGIN + '$aws get-login-password | docker login -u AWS --password-stdin "$REGISTRY"\nentries=\n'
    "for name in $SERVICES; do\n" + ENSURE + DEPLOY + 'TAGS="$*" docker buildx bake --push $SERVICES\n',
    "docker build, crane": LOGIN + 'export SSL_CERT_FILE="$AWS_CA_BUNDLE"\n'
    '$aws get-login-password | crane auth login -u AWS --password-stdin "$REGISTRY"\nentries=\n'
    "for name in $SERVICES; do\n" + ENSURE +
    '  docker build -t "$repository:$1" "$name"\n'
    '  docker save "$repository:$1" -o "../$name.tar"\n'
    '  crane push "../$name.tar" "$repository:$1"\n'
    '  for tag in "${@:2}"; do crane tag "$repository:$1" "$tag"; done\n' + DEPLOY,
    "buildah": LOGIN + f'buildah() {{ command {" ".join(BUILDAH)} "$@"; }}\n'
    '$aws get-login-password | buildah login -u AWS --password-stdin "$REGISTRY"\nentries=\n'
    "for name in $SERVICES; do\n" + ENSURE +
    '  buildah bud --layers -t "$repository:$1" "$name"\n'
    '  for tag in "$@"; do buildah push "$repository:$1" "docker://$repository:$tag"; done\n' + DEPLOY,
}


def builder(contender, services, tags, pipeline="longshore.yaml"):
    if contender == "longshore":
        chosen = services if pipeline == "longshore.yaml" else []
        return [longshore, "run", "-f", pipeline, "--progress", "plain", *chosen]
    return ["bash", "-c", SCRIPTS[contender], "bench", *tags]


def cpu_of_daemon():
    """Seconds that the Docker daemon, containerd and their children have used so far; the registries are not among them."""
    ticks = 0
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(work) in (folder / "cmdline").read_text() and (folder / "comm").read_text().strip() in DAEMONS:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def ask_moto(operation, **parameters):
    request = urllib.request.Request(f"https://{MOTO}:{PORT}/", json.dumps(parameters).encode(), {
        "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}", "Content-Type": "application/x-amz-json-1.1",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=bench/20260101/{REGION}/ecr/aws4_request, SignedHeaders=host, Signature=0"})
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=work / "ca.crt")) as answer:
        return json.load(answer)


def tell_moto():
    """Has ECR's API know the images that the registry holds. In ECR that is one thing; moto has no registry of its own."""
    root = work / "registries" / HOST / "docker/registry/v2"
    for manifests in (root / "repositories").glob("**/_manifests"):
        repository = str(manifests.parent.relative_to(root / "repositories"))
        for link in manifests.glob("tags/*/current/link"):
            digest = link.read_text()
            manifest = (root / "blobs/sha256" / digest[7:9] / digest[7:] / "data").read_text()
            tag = link.parent.parent.name
            if TOLD.get((repository, tag)) != digest:
                ask_moto("PutImage", repositoryName=repository, imageTag=tag, imageDigest=digest, imageManifest=manifest,
                         imageManifestMediaType=json.loads(manifest)["mediaType"])
                TOLD[repository, tag] = digest


results = {}


def measure(workload, contender, command, **variables):
    os.sync()
    log = open(work / "contender.log", "w")
    daemon, began = cpu_of_daemon(), time.monotonic()
    process = subprocess.Popen(command, cwd=work / "tree", env=environment | variables, stdout=log, stderr=log)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if status != 0:
        sys.exit(f"error: {contender} failed on `{workload}`\n{(work / 'contender.log').read_text()[-3000:]}")
    cpu = usage.ru_utime + usage.ru_stime + cpu_of_daemon() - daemon
    results.setdefault(workload, {}).setdefault(contender, []).append((wall, cpu, usage.ru_maxrss / 1024))
    say(f"{workload}: {contender}: {wall:.2f} s, {cpu:.2f} CPU s")


def builds(contender):
    """One after the other, what a pipeline meets in its life."""
    one, all_services = ["api"], SERVICES
    tags = ["v1", "latest"]
    forget(contender)
    measure("one image, cold", contender, builder(contender, one, tags), A="v1", SERVICES="api")
    forget(contender)
    five = [*tags, "1", "1.2", "prod"]
    measure("one image, five tags", contender, builder(contender, one, five, "five.yaml"), A="v1", SERVICES="api")
    forget(contender)
    services = " ".join(all_services)
    again = builder(contender, all_services, tags)
    measure("five services, cold", contender, again, A="v1", SERVICES=services)
    tell_moto()
    measure("five services, no change", contender, again, A="v1", SERVICES=services)
    line = work / "tree/web/src/line"
    git = ["git", "-C", work / "tree", "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    line.write_text(f"{time.time()}\n")
    run(*git, "commit", "-qam", "one line")
    changed = builder(contender, all_services, ["v2", "latest"])
    measure("five services, one line", contender, changed, A="v2", SERVICES=services)


def copies(contender):
    shutil.rmtree(work / "registries" / OTHER / "docker", ignore_errors=True)
    to = f"{OTHER}/copied:1"
    command = {
        "longshore": [longshore, "copy", "--create", COPIED, to],
        "skopeo": ["skopeo", "copy", f"docker://{COPIED}", f"docker://{to}"],
        "crane": ["crane", "copy", COPIED, to],
        "docker pull, tag, push": ["bash", "-euc", f"docker pull {COPIED}; docker tag {COPIED} {to}; docker push {to}"],
    }[contender]
    if contender.startswith("docker"):
        forget_images()
    measure("copy", contender, command, SSL_CERT_FILE=str(work / "ca.crt"))


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = int(open("/proc/meminfo").readline().split()[1]) / 1e6
    versions = {
        "Docker": run("docker", "version", "-f", "{{.Server.Version}}").strip(),
        "aws": run("aws", "--version").split()[0].split("/")[1],
    }
    buildx = subprocess.run(["docker", "buildx", "version"], env=environment, text=True, capture_output=True)
    if buildx.returncode == 0:
        versions["buildx"] = buildx.stdout.split()[1]
    for tool in ("skopeo", "buildah", "crane"):
        if shutil.which(tool):
            word = run(tool, "version" if tool == "crane" else "--version").split()
            versions[tool] = word[-1] if tool != "buildah" else word[2]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    load = " ".join(open("/proc/loadavg").read().split()[:3])
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB, Linux {platform.release()}, load {load} at the end; {told}"


def table():
    lines = [
        "| workload | contender | wall s, median (min–max) | to the best other | CPU s | peak MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for workload, contenders in results.items():
        medians = {name: statistics.median(wall for wall, _, _ in runs) for name, runs in contenders.items()}
        others = [median for name, median in medians.items() if name != "longshore"]
        for name, runs in contenders.items():
            walls = [wall for wall, _, _ in runs]
            ratio = ""
            if name == "longshore" and others:
                ratio = f"**{medians[name] / min(others):.2f}**" + (" (behind)" if medians[name] > min(others) else "")
            cpu = statistics.median(cpu for _, cpu, _ in runs)
            memory = statistics.median(memory for _, _, memory in runs)
            lines.append(f"| {workload} | {name} | {medians[name]:.2f} ({min(walls):.2f}–{max(walls):.2f}) "
                         f"| {ratio} | {cpu:.2f} | {memory:.0f} |")
    return "\n".join(lines)


def main():
    # So that whoever ends the bench ends its daemon and registries as well.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    for folder in ("home/docker", "registries"):
        (work / folder).mkdir(parents=True)
    (work / "home/auth.json").write_text("{}")
    certificate()
    (work / "htpasswd").write_text(run("htpasswd", "-B", "-C", "4", "-b", "-n", "AWS", PASSWORD))
    environment["AWS_ENDPOINT_URL_ECR"] = f"https://{MOTO}:{PORT}"
    with contextlib.ExitStack() as services:
        for name in ADDRESSES:
            registry(services, name)
        start(services, "moto", "moto_server", "-H", MOTO, "-p", str(PORT), "-c", str(work / "tls.crt"),
              "-k", str(work / "tls.key"))
        start(services, "dockerd", "dockerd", "--data-root", str(work / "docker"), "--exec-root", str(work / "exec"),
              "--pidfile", str(work / "docker.pid"), "-H", environment["DOCKER_HOST"], "--bridge=none", "--iptables=false")
        until("moto", lambda: subprocess.run(
            ["curl", "-sk", "-o", "/dev/null", f"https://{MOTO}:{PORT}/moto-api/"], env=environment).returncode == 0)
        until("dockerd", lambda: subprocess.run(["docker", "version"], env=environment, capture_output=True).returncode == 0)
        say(f"preparing: a base of {BASE // 1_000_000} MB, five services of {OWN // 1_000_000} MB each")
        prepare()
        contenders = ["longshore", "shell script"]
        if subprocess.run(["docker", "buildx", "version"], env=environment, capture_output=True).returncode == 0:
            contenders.append("docker buildx bake")
        contenders += [f"docker build, {tool}" for tool in ("skopeo", "crane") if shutil.which(tool)]
        if shutil.which("buildah"):
            contenders.append("buildah")
            run(*BUILDAH, "pull", "-q", BASE_IMAGE)
        copiers = ["longshore", *[tool for tool in ("skopeo", "crane") if shutil.which(tool)], "docker pull, tag, push"]
        for name in (HOST, OTHER):
            run("docker", "login", "-u", "AWS", "-p", PASSWORD, name)
            run("skopeo", "login", "-u", "AWS", "-p", PASSWORD, name)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            # Nobody is always the one who finds the machine warm.
            turn = number % len(contenders)
            for contender in contenders[turn:] + contenders[:turn]:
                builds(contender)
            turn = number % len(copiers)
            for copier in copiers[turn:] + copiers[:turn]:
                copies(copier)
            done = f"{table()}\n\n{number + 1} rounds at scale {scale:g}; {machine()}\n"
            table_file.write_text(done)
        print(done)


main()
