//! The file by which a CI system runs the pipeline.

/// A CI system that a file can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// GitHub Actions
    Github,
    /// GitLab
    Gitlab,
    /// Jenkins
    Jenkins,
    /// AWS CodeBuild
    Codebuild,
    /// CircleCI
    Circleci,
    /// Buildkite
    Buildkite,
}

impl System {
    /// The system whose files are there, or whose host the repository is cloned from.
    pub fn detect(paths: &[String], origin: Option<&str>) -> Option<Self> {
        let there = |name: &str| paths.iter().any(|path| path == name);
        let below = |folder: &str| paths.iter().any(|path| path.starts_with(folder));
        let origin = origin.unwrap_or_default();
        let checks = [
            (System::Github, below(".github/")),
            (System::Gitlab, there(".gitlab-ci.yml")),
            (System::Circleci, below(".circleci/")),
            (System::Buildkite, below(".buildkite/")),
            (System::Jenkins, there("Jenkinsfile")),
            (System::Codebuild, there("buildspec.yml") || there("buildspec.yaml")),
            (System::Github, origin.contains("github.com")),
            (System::Gitlab, origin.contains("gitlab")),
            (System::Codebuild, origin.contains("git-codecommit")),
        ];
        checks.into_iter().find(|(_, there)| *there).map(|(system, _)| system)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            System::Github => "GitHub Actions",
            System::Gitlab => "GitLab",
            System::Jenkins => "Jenkins",
            System::Codebuild => "AWS CodeBuild",
            System::Circleci => "CircleCI",
            System::Buildkite => "Buildkite",
        }
    }
}

/// Whether a file says which CI system there is.
pub fn is_of_a_system(path: &str) -> bool {
    matches!(path, ".gitlab-ci.yml" | "Jenkinsfile" | "buildspec.yml" | "buildspec.yaml")
        || [".github/", ".circleci/", ".buildkite/"].iter().any(|folder| path.starts_with(folder))
}

/// The path and the text of the file for a system.
pub fn file(system: System, region: &str) -> (&'static str, String) {
    let (path, text) = match system {
        System::Github => (".github/workflows/longshore.yml", GITHUB),
        System::Gitlab => (".gitlab-ci.yml", GITLAB),
        System::Jenkins => ("Jenkinsfile", JENKINS),
        System::Codebuild => ("buildspec.yml", CODEBUILD),
        System::Circleci => (".circleci/config.yml", CIRCLECI),
        System::Buildkite => (".buildkite/pipeline.yml", BUILDKITE),
    };
    (path, text.replace("REGION", region))
}

const GITHUB: &str = "\
# Builds, pushes and tags the images of longshore.yaml.
name: images
on:
  push:
    branches: [\"**\"]
    tags: [\"v*\"]
  pull_request:
permissions:
  contents: read
  id-token: write # for the AWS role
jobs:
  images:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with: { fetch-depth: 0, fetch-tags: true }
      - uses: aws-actions/configure-aws-credentials@v6
        if: github.event.pull_request.head.repo.fork != true
        with:
          role-to-assume: ${{ vars.AWS_ROLE }} # the role that may push, as in arn:aws:iam::123456789012:role/push-images
          aws-region: REGION
      # `longshore` has to be on PATH: install it here, or use its action.
      - run: longshore run
";

const GITLAB: &str = "\
# Builds, pushes and tags the images of longshore.yaml, on a runner that has Docker and longshore.
images:
  variables:
    GIT_DEPTH: 0
    AWS_REGION: REGION
    AWS_ROLE_ARN: $AWS_ROLE # a variable of the project: the role that may push
    AWS_WEB_IDENTITY_TOKEN_FILE: $CI_PROJECT_DIR.tmp-token
  id_tokens:
    AWS_TOKEN: { aud: sts.amazonaws.com }
  script:
    - echo \"$AWS_TOKEN\" > \"$AWS_WEB_IDENTITY_TOKEN_FILE\"
    - longshore run
  artifacts:
    paths: [imagedefinitions.json]
";

const JENKINS: &str = "\
// Builds, pushes and tags the images of longshore.yaml, on an agent that has Docker, longshore and an AWS role.
pipeline {
  agent any
  environment { AWS_REGION = 'REGION' }
  stages {
    stage('Images') {
      steps {
        sh 'longshore run --report longshore-report.json'
      }
    }
  }
  post {
    always { archiveArtifacts artifacts: 'longshore-report.json, imagedefinitions.json', allowEmptyArchive: true }
  }
}
";

const CODEBUILD: &str = "\
# Builds, pushes and tags the images of longshore.yaml, in a project with privileged mode on and longshore in its image.
version: 0.2
phases:
  build:
    on-failure: ABORT
    commands:
      - longshore run
artifacts:
  files: [imagedefinitions.json]
";

const CIRCLECI: &str = "\
# Builds, pushes and tags the images of longshore.yaml, with longshore and an AWS role in the context `aws`.
version: 2.1
jobs:
  images:
    machine: { image: \"ubuntu-2404:current\" }
    environment: { AWS_REGION: REGION }
    steps:
      - checkout
      - run: longshore run
      - store_artifacts: { path: imagedefinitions.json }
workflows:
  images:
    jobs:
      - images:
          context: aws
          filters: { tags: { only: /^v.*/ } }
";

const BUILDKITE: &str = "\
# Builds, pushes and tags the images of longshore.yaml, on an agent that has Docker, longshore and an AWS role.
steps:
  - label: images
    command: longshore run
    env: { AWS_REGION: REGION }
    artifact_paths: imagedefinitions.json
";
