"""Every mutant there is."""

from tests.campaign.mutant.host_mutants import HOST_MUTANTS
from tests.campaign.mutant.order_mutants import ORDER_MUTANTS
from tests.campaign.mutant.secret_mutants import SECRET_MUTANTS
from tests.campaign.mutant.wire_mutants import WIRE_MUTANTS

MUTANTS = (*HOST_MUTANTS, *WIRE_MUTANTS, *ORDER_MUTANTS, *SECRET_MUTANTS)
