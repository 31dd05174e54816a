"""`python -m bench.policy`: see `bench.policy_bench`."""

from bench.policy_bench import main

if __name__ == "__main__":
    raise SystemExit(main())
