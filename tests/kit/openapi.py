# SPDX-License-Identifier: MPL-2.0
"""openapi - asks two public validators whether an API document is one

They come from npm, in the versions named here, into a folder of the build tree: once, whichever
test is first. Both run on the Node 18 of Debian 12.
"""
import contextlib
import fcntl
import os
import shutil
import subprocess

VALIDATORS = ("@apidevtools/swagger-parser@10.1.1", "@seriousme/openapi-schema-validator@2.11.0")
FOLDER = os.path.abspath("tests/it/openapi-validators")  # tests run in the build folder
INSTALL_SECONDS = 60

SCRIPT = """
import { createRequire } from 'node:module';
import fs from 'node:fs';
const [folder, file] = process.argv.slice(2);
const load = (name) => import(createRequire(folder + '/').resolve(name));
const document = () => JSON.parse(fs.readFileSync(file));
const parser = (await load('@apidevtools/swagger-parser')).default;
try {
    await parser.validate(document());
    console.log('swagger-parser true');
} catch (error) {
    console.log('swagger-parser false', error.message.replaceAll('\\n', ' '));
}
const { Validator } = await load('@seriousme/openapi-schema-validator');
const result = await new Validator().validate(document());
console.log('openapi-schema-validator', result.valid, JSON.stringify(result.errors ?? []));
"""


class Unavailable(Exception):
    """There are no validators here; says why."""


def _install(npm):
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    try:
        done = subprocess.run(
            [npm, "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock",
             "--ignore-scripts", "--fetch-retries=1", "--prefix", FOLDER, *VALIDATORS],
            capture_output=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unavailable("npm does not fetch the validators") from error
    if done.returncode != 0:
        raise Unavailable("npm cannot fetch the validators")
    with open(f"{FOLDER}/check.mjs", "w", encoding="utf-8") as script:
        script.write(SCRIPT)
    with open(f"{FOLDER}/installed", "w", encoding="utf-8") as mark:
        mark.write(" ".join(VALIDATORS))


def _is_installed():
    with contextlib.suppress(FileNotFoundError), open(f"{FOLDER}/installed", encoding="utf-8") as at:
        return at.read() == " ".join(VALIDATORS)
    return False


def judge(path):
    """What each validator says of the document in the file: {name: (valid, what it said)}."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        raise Unavailable("npm is not installed")
    with open(f"{FOLDER}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        if not _is_installed():
            _install(npm)
    run = subprocess.run([node, f"{FOLDER}/check.mjs", FOLDER, path], capture_output=True, text=True,
                         check=False)
    verdicts = {}
    for name in ("swagger-parser", "openapi-schema-validator"):
        said = [line for line in run.stdout.splitlines() if line.startswith(name + " ")]
        verdicts[name] = (bool(said) and said[0].split()[1] == "true", said or run.stderr)
    return verdicts
