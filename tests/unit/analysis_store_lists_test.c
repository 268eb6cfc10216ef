#include "config.h"
#include "tests/unit/analysis_stage.h"
static void test_x(void){stage_t s; stage_open(&s); stage_chain(&s,"",1); stage_submit(&s,"","{}","");stage_new(&s,"","",1);stage_id(&s,"");stage_fixture(&s,"");stage_tamper(&s,NULL,"");stage_close(&s);}
DATABASE_TESTS({"x",test_x})
