"""Duties (業務), sites (拠点), departments and the staff on their rosters. Counterparts: `gateway/judge.py` asks for a
person's duties, the admin API imports and exports the register. Nothing here decides what a person may do."""
