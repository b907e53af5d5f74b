"""The merge into pass or fail, public notice, two-stage audit (成绩与结果)."""
