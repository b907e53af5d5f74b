"""What calibration and scoring are made of: blocks of persons, quadrature, E-step, M-step, acceleration, errors. Pure."""
