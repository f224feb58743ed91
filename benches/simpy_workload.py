"""The workload of the benches in SimPy, as its documentation teaches it: a process for each client, and one for each request.

usage: simpy_workload.py CLIENTS SECONDS LOAD SEED        (pip install simpy==4.1.2)

Each client calls after exponential times of 10 s on average. A token bucket, filled with LOAD times what all of them ask for and as
deep as a second's worth, turns the rest away; a tenth of what it admits fails; each answer takes 50 ms. Up to five retries, each after
a uniform time between 0 and the lesser of 60 s and 1 s * 2^k. Prints requests, attempts, successes and the seconds on the clock.
"""

import random
import sys
import time

import simpy


class Api:
    def __init__(self, env, luck, tokens_per_second):
        self.env, self.luck = env, luck
        self.rate = self.most = self.tokens = tokens_per_second
        self.filled = 0.0

    def answers(self):
        """True if the call succeeds."""
        passed = self.env.now - self.filled
        self.filled = self.env.now
        self.tokens = min(self.most, self.tokens + passed * self.rate)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return self.luck.random() >= 0.1


class Tally:
    requests = attempts = succeeded = 0


def call(env, luck, api, tally):
    tally.requests += 1
    for retry in range(6):
        if retry > 0:
            yield env.timeout(luck.uniform(0, min(60, 2 ** (retry - 1))))
        tally.attempts += 1
        succeeds = api.answers()
        yield env.timeout(0.05)
        if succeeds:
            tally.succeeded += 1
            return


def client(env, luck, api, tally):
    while True:
        yield env.timeout(luck.expovariate(0.1))
        env.process(call(env, luck, api, tally))


def main():
    clients, seconds, load, seed = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    env, luck, tally = simpy.Environment(), random.Random(seed), Tally()
    api = Api(env, luck, 0.1 * clients * load)
    for _ in range(clients):
        env.process(client(env, luck, api, tally))
    begin = time.perf_counter()
    env.run(until=seconds)
    print(tally.requests, tally.attempts, tally.succeeded, time.perf_counter() - begin)


main()
