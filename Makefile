.DEFAULT_GOAL := help
.PHONY: help demo test bench setup clean

help: ## Says what can be made.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Sets the machine up and runs the example pipeline against an ECR on loopback.
	@scripts/demo.sh

test: ## Sets the machine up for the tests and runs all checks and tests.
	@scripts/test.sh

bench: ## Compares with the shell script, bake, skopeo, buildah and crane, in turn on this machine; see BENCHMARKS.md.
	@scripts/bench.sh

setup: ## Installs what the demonstration needs, and starts a Docker daemon where none answers.
	@scripts/setup.sh demo

clean: ## Removes what the demonstration, the set-up and the builds left behind in this folder.
	rm -rf .demo .venv
	cargo clean
