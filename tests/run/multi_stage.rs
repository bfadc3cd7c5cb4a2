//! The multi-stage build that the guides show, on a base image that only this run's registry has.

use std::os::unix::fs::PermissionsExt as _;

use crate::user::{LocalServer, User, wait_for};

/// Stands for node:18-alpine: a shell, and programs by the names of `npm` and `node` that do as little as can be seen.
fn push_base(user: &User, server: &LocalServer) -> String {
    let dockerfile = user.dockerfile(
        "COPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nCOPY npm node /bin/\n",
    );
    let npm = "#!/bin/sh\ncase \"$1\" in\n  ci) mkdir -p node_modules && echo left-pad >node_modules/list ;;\n  \
               run) mkdir -p dist && cp src/index.js dist/ ;;\nesac\n";
    let base =
        user.folder_of("base", &[("Dockerfile", &dockerfile), ("npm", npm), ("node", "#!/bin/sh\ncat \"$1\"\n")]);
    base.add_busybox(".");
    for program in ["npm", "node"] {
        std::fs::set_permissions(base.at(program), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let name = format!("{}/{}/node:18-alpine", server.host(), user.unique());
    let repository = format!("{}/node", user.unique());
    server
        .env(user.program("aws", base.root()))
        .args(&["ecr", "create-repository", "--repository-name", &repository])
        .args(&["--endpoint-url", server.variable("AWS_ENDPOINT_URL_ECR")])
        .succeeds();
    user.docker(&["build", "--quiet", "--tag", &name]).env("DOCKER_BUILDKIT", "0").arg(base.root()).succeeds();
    server.env(base.longshore(&["login"])).succeeds();
    user.docker(&["push", "--quiet", &name]).succeeds();
    user.remove_images();
    name
}

#[test]
fn the_example_of_the_guides_is_built_with_secrets_that_leave_no_trace() {
    let user = User::new();
    let server = user.serve("data");
    let base = push_base(&user, &server);
    let dockerfile = format!(
        "FROM {base} AS builder\nWORKDIR /app\nCOPY package*.json ./\n\
         RUN --mount=type=secret,id=npmrc,required --mount=type=secret,id=token --mount=type=ssh \\\n    \
         test -S \"$SSH_AUTH_SOCK\" && grep -q from-the-file /run/secrets/npmrc && \\\n    \
         grep -q from-the-environment /run/secrets/token && npm ci\n\
         COPY . .\nRUN npm run build\n\n\
         FROM {base} AS runtime\nLABEL longshore.test={}\nARG NODE_ENV=development\nENV NODE_ENV=$NODE_ENV\nWORKDIR /app\n\
         COPY --from=builder /app/dist ./dist\nUSER 1000\nCMD [\"node\", \"dist/index.js\"]\n",
        user.unique()
    );
    let pipeline = "version: 1\nimages:\n  web:\n    build:\n      context: .\n      target: runtime\n      \
                    args: { NODE_ENV: production }\n      ssh: [default]\n      \
                    secrets: [\"id=npmrc,src=.npmrc\", \"id=token,env=NPM_TOKEN\"]\n    \
                    repository: UNIQUE/web\n    tags: [sha]\n";
    let files = [
        ("longshore.yaml", pipeline),
        ("Dockerfile", &dockerfile),
        (".dockerignore", ".git\n.npmrc\nnode_modules\n"),
        (".gitignore", ".npmrc\n"),
        ("package.json", "{}"),
        ("src/index.js", "the program\n"),
    ];
    let checkout = user.checkout(&files);
    checkout.write(".npmrc", "//registry/:_authToken=from-the-file\n");
    let socket = user.at("agent");
    let _agent = user.program("ssh-agent", &user.at("home")).arg("-D").arg("-a").arg(&socket).start();
    wait_for("the agent", || socket.exists().then_some(()));

    let run = || server.run(&checkout).env("NPM_TOKEN", "from-the-environment").env("SSH_AUTH_SOCK", &socket);
    let built = run().run().with_code(0);
    let name = built.stdout.split_whitespace().next().unwrap();
    let second = run().run().with_code(0);
    assert!(second.err().contains("web: not built: its content did not change"), "{}", second.err());

    user.remove_images();
    user.docker(&["pull", "--quiet", name]).succeeds();
    let shown = user.docker(&["run", "--rm", "--network=none", name]).succeeds();
    assert_eq!(shown, "the program\n");
    let files = user.docker(&["run", "--rm", "--network=none", name, "find", "/app"]).succeeds();
    assert_eq!(files, "/app\n/app/dist\n/app/dist/index.js\n");
    let history = user.docker(&["history", "--no-trunc", name]).succeeds();
    let archive = user.at("saved.tar");
    user.docker(&["save", "--output"]).arg(&archive).arg(name).succeeds();
    let saved = std::fs::read(&archive).unwrap();
    for secret in ["from-the-file", "from-the-environment"] {
        let in_layers = saved.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        // The history of the stage that is not in the image would speak of the words that it looks for.
        assert!(!in_layers && !history.contains(secret), "{secret}");
    }
    let log = [built.stdout, built.stderr].concat();
    assert!(!log.contains("_authToken"), "{log}");
}
