"""What the clouds' own credentials need: AWS's chain, Google's tokens, and keeping either until shortly before its end.

Loaded for rows that sign, and only when one is used.
"""
